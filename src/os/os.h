/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interface to an operating system: its backends and the few services the collector needs
 * besides them. One struct os is built in (os_native); tests make others. Nothing outside src/os
 * knows which one it is.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "collect/backend.h"

struct host_facts {
	char hostname[256];
	char os[65]; /* the length of utsname members */
	char os_version[128];
	char architecture[65];
	char boot_id[64];
	uint64_t memory_bytes;
	uint32_t cpus;
	uint32_t page_bytes;
	uint32_t ticks_per_s;
	int64_t realtime_offset_ns;
	int64_t boottime_offset_ns;
};

struct self_cost {
	uint64_t cpu_ns;
	uint64_t rss_bytes;
};

/* A fact about sooth's environment that limits what it can see. */
struct environment_fact {
	const char *name;
	char value[160];
};

/* Values of a process that one small read gives. */
struct process_glance {
	struct process_id id;
	uint32_t ppid, process_group, session;
	char state; /* R S D T t Z X I, as Linux names them */
	char name[17];
	uint64_t cpu_ns;    /* CPU time of the process */
	uint64_t waited_ns; /* CPU time of the children that it has waited for */
	uint64_t rss_bytes;
	uint64_t age_ns;
};

/* Descriptors for the event loop of another program; -1: none. */
struct os_watch {
	int descriptor; /* readable when something is to be done */
	int timer;
};

/* A filter of system calls, instructions as seccomp(2) takes them. */
struct launch_filter {
	uint64_t size; /* 0: none */
	uint64_t code[1024];
};

/* A launched command gets these at its exec: variables in its environment, and on Linux a filter.
 */
struct launch_preload {
	char library[4096]; /* before others in LD_PRELOAD; empty: none */
	char variable[256]; /* "NAME=VALUE" */
	struct launch_filter filter;
};

/* A launched command, which waits before its exec until it is released. */
struct launch {
	struct process_id process;
	const char *name; /* the launched program: borrowed from its command */
	pid_t pid;
	int status;	/* status of wait(), once it ended; -1 before */
	int start_pipe; /* the pipe it waits on; -1 afterwards */
	int failure;	/* the pipe that reports a failed exec; -1 afterwards */
	int descriptor; /* readable when it ended; -1: unknown */
	bool as_user;	/* run it as uid and gid, instead of the real ids */
	uid_t uid;
	gid_t gid;
	struct launch_preload preload;
};

/* Rights that a program keeps that only explains. */
struct explain_only {
	const char *const *places; /* files that may be written, and folders of such files */
	size_t count;
	bool is_sudo; /* it may become another user */
	pid_t pager;  /* it may send signals to this process; 0: none */
};

struct os {
	const char *name;
	const struct backend *const *backends; /* for each probe the best first; NULL at the end */
	/* Where its backends read, if tests may replace that: of the fake system its script. */
	void *script;

	uint64_t (*now_ns)(const struct os *os);	    /* CLOCK_MONOTONIC */
	int64_t (*realtime_offset_ns)(const struct os *os); /* CLOCK_REALTIME minus that */
	void (*host)(const struct os *os, struct host_facts *facts);
	void (*self)(const struct os *os, struct self_cost *cost);
	/* For a program with more privileges than its caller: keep only those that observing
	 * needs. */
	void (*keep_least)(const struct os *os);
	/* If this program has privileges, begins to parse files of others in a process that has
	 * none; root starts that with the given ids. NULL: all is parsed here. */
	void (*parse_apart)(const struct os *os);
	/* Called in a child: it is killed when its parent ends, and, where the system can do that,
	 * when no process has the other end of the pipe `life` any more. Only the pipe still counts
	 * after the exec of a program that gains rights by its file. */
	void (*end_with_parent)(const struct os *os, int life);
	/* For a program of the user's: the caller's ids, and no privilege that a later exec could
	 * give back. False: not possible. */
	bool (*drop_all)(const struct os *os);
	/* Before a capture is read: gives up for good what explaining does not need. NULL:
	 * privileges stay. */
	void (*explain_only)(const struct os *os, const struct explain_only *what);
	/* Whether sooth may show its caller more of this process than any reader of /proc sees;
	 * process NULL: of every process. NULL: the system itself refuses. */
	int (*may_watch)(
		const struct os *os, const struct process_id *process, struct sooth_error *err);
	/* Facts for doctor; returns how many of `max` were filled. */
	size_t (*environment)(const struct os *os, struct environment_fact *facts, size_t max);

	int (*identify)(const struct os *os, pid_t pid, struct process_id *process,
		struct sooth_error *err);
	bool (*is_alive)(const struct os *os, const struct process_id *process);
	/* CPU time of a process and of the children that it has waited for; 0: it is gone. NULL:
	 * not known here. */
	uint64_t (*cpu_ns)(const struct os *os, const struct process_id *process);
	/* -ESRCH: it is gone. NULL: not known here, as the children of a process then. */
	int (*glance)(const struct os *os, pid_t pid, struct process_glance *out);
	/* Appends the pid_t of each child. */
	void (*children)(const struct os *os, pid_t pid, struct buffer *pids);
	/* The masked command line, NUL-separated; empty when it cannot be read. */
	void (*command_line)(
		const struct os *os, const struct process_id *process, struct buffer *out);
	/* Existing processes, of one user when has_uid. */
	int (*list)(const struct os *os, bool has_uid, uint32_t uid, struct buffer *process_ids,
		struct sooth_error *err);

	/* A descriptor of this process, never of a later one with its pid; readable when it has
	 * ended. -ESRCH: it is gone. */
	int (*open_process)(
		const struct os *os, const struct process_id *process, struct sooth_error *err);
	/* `process` is the one that was opened: some systems signal by number only, right after
	 * they have asked the descriptor whether it still is that process. */
	int (*signal_process)(const struct os *os, int descriptor, const struct process_id *process,
		int number, struct sooth_error *err);

	int (*launch)(const struct os *os, char *const *command, struct launch *launch,
		struct sooth_error *err);
	/* Lets the command run; an error if its exec fails (on some systems it exits with 127). */
	int (*release)(const struct os *os, struct launch *launch, struct sooth_error *err);
	/* True when it ended; launch->status is its exit status. */
	bool (*reap)(const struct os *os, struct launch *launch);
	/* Release: a command that still waits is ended, a running one is left alone. */
	void (*abandon)(const struct os *os, struct launch *launch);
	/*
	 * Freezes, or thaws, the control group that contains exactly these processes; its path
	 * into `group`. 0: done; 1: there is none, `group` says why; or a negative errno.
	 */
	int (*freeze_group)(const struct os *os, const struct process_id *processes, size_t count,
		bool is_frozen, char *group, size_t room, struct sooth_error *err);
	/* Wait until one of the descriptors is readable or the time is over; returns how many are,
	 * -EINTR on a signal. */
	int (*wait)(const struct os *os, const int *descriptors, size_t count, int timeout_ms);
	/* A watch of these descriptors, which stay the caller's, and of time. NULL: there is none
	 * on this system. */
	int (*watch_begin)(const struct os *os, struct os_watch *watch, const int *descriptors,
		size_t count, int interval_ms);
	/* Clears the event that made the watch readable. */
	void (*watch_clear)(const struct os *os, const struct os_watch *watch);
	void (*watch_end)(const struct os *os, struct os_watch *watch);
};

extern const struct os os_native;

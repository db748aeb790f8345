/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seam to an operating system: the backends it has and the few services the
 * collector needs beside them. One struct os is built in (os_native); tests
 * make others. Nothing outside src/os knows which it is.
 */
#ifndef SOOTH_OS_OS_H
#define SOOTH_OS_OS_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/backend.h"

struct host_facts {
	char hostname[256];
	char os[65]; /* utsname members are that long */
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

/* One thing about where sooth runs that bears on what it can see. */
struct environment_fact {
	const char *name;
	char value[160];
};

/* A launched command, held before its exec until released. */
struct launch {
	struct process_id process;
	const char *name; /* what is launched: borrowed from its command */
	pid_t pid;
	int status;	/* of wait(), once it ended; -1 before */
	int hold;	/* the pipe that holds it; -1 afterwards */
	int failure;	/* the pipe on which it tells that exec failed; -1 afterwards */
	int descriptor; /* readable when it ended; -1: unknown */
	bool as_user;	/* run it as uid and gid, instead of the real ids */
	uid_t uid;
	gid_t gid;
};

struct os {
	const char *name;
	const struct backend *const *backends; /* of each probe the best first; NULL at the end */
	void *script;			       /* of a fake one */

	uint64_t (*now_ns)(const struct os *os);	    /* CLOCK_MONOTONIC */
	int64_t (*realtime_offset_ns)(const struct os *os); /* CLOCK_REALTIME less that */
	void (*host)(const struct os *os, struct host_facts *facts);
	void (*self)(const struct os *os, struct self_cost *cost);
	/* For a program that was given more rights than its caller has: keep what observing needs.
	 */
	void (*keep_least)(const struct os *os);
	/* Facts for doctor; returns how many of `max` were filled. */
	size_t (*environment)(const struct os *os, struct environment_fact *facts, size_t max);

	int (*identify)(const struct os *os, pid_t pid, struct process_id *process,
		struct sooth_error *err);
	bool (*is_alive)(const struct os *os, const struct process_id *process);
	/* The masked command line, NUL-separated; empty when it cannot be read. */
	void (*command_line)(
		const struct os *os, const struct process_id *process, struct buffer *out);
	/* Processes now there, of one user when has_uid. */
	int (*list)(const struct os *os, bool has_uid, uint32_t uid, struct buffer *process_ids,
		struct sooth_error *err);

	/* A descriptor that means this process and never a later one of its number; readable when
	 * it has ended. -ESRCH: it is gone. */
	int (*open_process)(
		const struct os *os, const struct process_id *process, struct sooth_error *err);
	int (*signal_process)(
		const struct os *os, int descriptor, int number, struct sooth_error *err);

	int (*launch)(const struct os *os, char *const *command, struct launch *launch,
		struct sooth_error *err);
	/* Let it run; fails when its exec did (only some systems tell; others: it exits 127). */
	int (*release)(const struct os *os, struct launch *launch, struct sooth_error *err);
	/* True when it ended; launch->status holds how. */
	bool (*reap)(const struct os *os, struct launch *launch);
	/* Let go: a command that is still held is ended, one that runs is left alone. */
	void (*abandon)(const struct os *os, struct launch *launch);
	/*
	 * Freezes, or thaws, the control group in which these processes are and nobody else; its
	 * path into `group`. 0: done; 1: there is none, `group` says why; or a negative errno.
	 */
	int (*freeze_group)(const struct os *os, const struct process_id *processes, size_t count,
		bool is_frozen, char *group, size_t room, struct sooth_error *err);
	/* Wait until one of the descriptors is readable or the time is over; returns how many are,
	 * -EINTR on a signal. */
	int (*wait)(const struct os *os, const int *descriptors, size_t count, int timeout_ms);
};

extern const struct os os_native;

#endif

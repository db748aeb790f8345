/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The common part of FreeBSD and macOS for the backends in this folder. A source asks the system,
 * which answers with arrays about its processes, and decodes the answers into these structs. The
 * backends make records of these. Neither includes headers of the system, so both are compiled and
 * tested everywhere.
 *
 * Functions return 0 or a negative errno; NULL: the system has no such answer. Texts that are
 * appended to a buffer have no NUL behind them; lists have a NUL behind each entry.
 */
#pragma once

#include <sys/types.h>

#include "base/cursor.h"
#include "base/error.h"
#include "model/process_id.h"
#include "os/os.h"
#include "probes/fds.h"
#include "probes/host.h"
#include "probes/limits.h"
#include "probes/maps.h"
#include "probes/sockets.h"

#define BSD_NAME_SIZE	 40
#define BSD_DETAIL_SIZE	 64
#define BSD_ADDRESS_SIZE 112 /* a path of a unix socket has 104 bytes at most */

/* Masks of signals as in probes/signals.h, in the numbers of Linux. */
struct bsd_signals {
	uint64_t pending, blocked, ignored, caught;
};

struct bsd_process {
	struct process_id id;
	uint64_t start_utc_ns;
	uint64_t cpu_ns, rss_bytes, vsz_bytes;
	uint32_t ppid, uid, process_group, session, terminal_group;
	uint32_t terminal; /* device number, PROC_NO_TERMINAL */
	uint32_t threads;
	uint32_t tracer_pid; /* 0: none */
	uint8_t memory_state, cpu_state, threads_state;
	uint8_t tracer_state, signals_state;
	uint8_t pending_state; /* state of signals.pending */
	bool is_kernel;	       /* a kernel process, without a program */
	bool is_traced;	       /* the process is traced by ktrace(2) */
	char state;	       /* R S D T Z I */
	struct bsd_signals signals;
	char name[BSD_NAME_SIZE];
};

struct bsd_thread {
	uint64_t tid;
	uint64_t cpu_ns, system_ns;
	uint64_t voluntary_switches, involuntary_switches;
	uint64_t faults, major_faults;
	struct bsd_signals signals; /* blocked and pending */
	int32_t nice;
	uint32_t processor;
	uint64_t wait_address; /* kernel address of the object it waits for; 0: unknown */
	uint64_t asleep_ns;    /* time of sleep, in whole seconds */
	uint8_t asleep_state;
	uint8_t switches_state, times_state;
	uint8_t signals_state, processor_state;
	bool is_realtime;
	char state;
	char name[BSD_NAME_SIZE];
	char wait_channel[BSD_NAME_SIZE]; /* "": none */
};

/* Kinds of descriptors; those that no program opened are special. */
enum bsd_special {
	BSD_ORDINARY,
	BSD_DIRECTORY, /* working directory */
	BSD_ROOT,
	BSD_EXECUTABLE,
	BSD_OTHER_SPECIAL,
};

struct bsd_descriptor {
	struct fds_descriptor file; /* its record header and texts are empty */
	enum bsd_special special;
	/* Numbers of this end of a pipe or socket, and of the other end; 0: unknown. */
	uint64_t own, peer;
	bool appends; /* opened with O_APPEND */
	bool is_socket;
	struct sockets_socket socket; /* likewise empty; without numbers of descriptors */
	struct span path;	      /* borrowed until the next one */
	char detail[BSD_DETAIL_SIZE];
	char protocol[12];
	char local[BSD_ADDRESS_SIZE], remote[BSD_ADDRESS_SIZE];
};

struct bsd_mapping {
	struct maps_mapping mapping; /* its record header and path are empty */
	struct span path;	     /* borrowed until the next one */
};

/* The count with which a limit is compared; BSD_USE_BY_NAME: follows from the limit's name. */
enum bsd_use { BSD_USE_BY_NAME, BSD_USE_UNKNOWN, BSD_USE_DESCRIPTORS, BSD_USE_PROCESSES };

struct bsd_limit {
	const char *name;
	uint32_t unit; /* enum limits_unit */
	uint8_t use;   /* enum bsd_use */
	uint8_t state; /* state of soft and hard */
	uint64_t soft, hard;
	bool has_soft, has_hard;
};

/* The kernel address of a socket, by its number in descriptors. */
struct bsd_socket_at {
	uint64_t own, address;
};

/* A file lock that a process holds. */
struct bsd_file_lock {
	uint64_t inode;
	uint32_t device_major, device_minor; /* numbers of the device, as descriptors have them */
	uint32_t pid; /* 0: by flock(2), held by all processes that share the open file */
	bool is_for_writing;
};

/* An event of a watched process. */
struct bsd_life_event {
	uint32_t pid;
	uint32_t parent; /* parent of a process that starts */
	uint32_t status; /* status of wait(2) of a process that ends */
	bool starts, execs, ends;
	bool is_lost; /* a child that the process forked is not watched */
};

/* Visitors return false to end the walk. */
typedef bool (*bsd_descriptor_visitor)(void *user, const struct bsd_descriptor *descriptor);
typedef bool (*bsd_mapping_visitor)(void *user, const struct bsd_mapping *mapping);

struct bsd_source {
	const char *maps_lack;	/* values that mappings lack here; NULL: none */
	const char *waits_lack; /* values that waits lack here */
	const void *calls;	/* calls to the system; tests put recorded answers here */
	/* Paths of programs of the system; tests put their own here. NULL: the system has none. */
	const char *dtrace, *fs_usage, *sample;
	unsigned abi; /* ABI of its system calls, enum syscall_abi */

	/* Appends a struct bsd_process for all processes, or for one. */
	int (*processes)(const struct bsd_source *s, struct buffer *out);
	int (*process)(const struct bsd_source *s, pid_t pid, struct bsd_process *out);
	int (*arguments)(const struct bsd_source *s, pid_t pid, struct buffer *out);
	int (*environment)(const struct bsd_source *s, pid_t pid, struct buffer *out);
	int (*executable)(const struct bsd_source *s, pid_t pid, struct buffer *out);
	int (*directory)(const struct bsd_source *s, pid_t pid, struct buffer *out);
	/* Visits descriptors. -EOVERFLOW: some were left out. */
	int (*descriptors)(
		const struct bsd_source *s, pid_t pid, bsd_descriptor_visitor visitor, void *user);
	int (*mappings)(
		const struct bsd_source *s, pid_t pid, bsd_mapping_visitor visitor, void *user);
	int (*threads)(const struct bsd_source *s, pid_t pid, struct buffer *out);
	/* Sets the wait_channel of each struct bsd_thread: the function of the system in which it
	 * waits. The process is stopped for a moment. */
	int (*wait_functions)(const struct bsd_source *s, pid_t pid, struct buffer *threads,
		struct sooth_error *err);
	/* Appends struct bsd_socket_at of the TCP and stream sockets of the host. */
	int (*socket_addresses)(const struct bsd_source *s, struct buffer *out);
	/* Appends struct bsd_file_lock of the host. */
	int (*file_locks)(const struct bsd_source *s, struct buffer *out);
	/* Returns whether a thread that waits at a socket waits to send. */
	bool (*waits_to_send)(const struct bsd_source *s, pid_t pid, uint64_t tid);
	/* Appends the answer of FreeBSD (struct kinfo_kstack). */
	int (*kernel_stacks)(const struct bsd_source *s, pid_t pid, struct buffer *out);
	int (*limits)(const struct bsd_source *s, pid_t pid, struct bsd_limit *out, size_t *count);
	/* By kqueue(2): returns a descriptor that watches for the end of a process, or a negative
	 * errno. The next function reads it: -EAGAIN: the process runs; 0: it has ended, with a
	 * status of wait(2); -EPERM: it has ended, with an unknown status. */
	int (*watch_exit)(pid_t pid);
	int (*exit_status)(int descriptor, uint32_t *status);
	/* Only FreeBSD: returns a descriptor that is readable when there is an event; watches a
	 * process and all its descendants; returns 1 and the next event, or 0 if there is none. */
	int (*watch_lives)(void);
	int (*watch_life)(int descriptor, pid_t pid);
	int (*next_life)(int descriptor, struct bsd_life_event *out);
	/* Fill the values and their states; the caller sets the rest. */
	void (*host)(const struct bsd_source *s, struct host_facts *facts);
	void (*load)(const struct bsd_source *s, struct host_load *load);
	void (*memory)(const struct bsd_source *s, struct host_memory *memory);
};

#define BSD_LIMITS_MAX 16

static inline const struct bsd_source *bsd_source_of(const struct os *os)
{
	return os->script;
}

/* Returns the state of a field after a call of the source. */
uint8_t bsd_state(int status);

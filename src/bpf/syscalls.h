/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the system call programs and their loader agree on. */
#ifndef SOOTH_BPF_SYSCALLS_H
#define SOOTH_BPF_SYSCALLS_H

#include "probes/syscalls.h"

enum syscalls_adopt {
	ADOPT_NONE = 0, /* only marked processes and their children */
	ADOPT_USER = 1, /* and every process of a user */
	ADOPT_ALL = 2,
};

/* Fixed at load; the kernel then drops the branches that cannot be taken. */
struct syscalls_config {
	uint32_t adopt;
	uint32_t uid;
	uint32_t own_pid;      /* the collector: never adopted */
	uint32_t interest;     /* of adopted processes */
	uint32_t wakeup_bytes; /* wake the collector at each multiple that waits: a power of two */
	uint32_t ticks_per_s;
	uint32_t is_elevated; /* the caller may less than sooth: let go of what gains privilege */
	uint8_t path_arguments[512]; /* by native number: which argument is a path, from 1 */
};

enum syscalls_visit {
	VISIT_MARK = 1,	 /* follow the threads of a process, with an interest */
	VISIT_MUTE = 2,	 /* stop counting; the memory stays for the flush */
	VISIT_FLUSH = 3, /* hand over what muted threads counted */
};

/* Read and written while it runs. */
struct syscalls_control {
	uint32_t visit;	      /* what the next walk over all threads does */
	uint32_t pid;	      /* for threads of this process; 0: all */
	uint64_t start_ticks; /* which it must have: the pid may be another's by now */
	uint32_t interest;
	uint32_t is_held;      /* count nothing before the first exec */
	uint64_t visited;      /* threads it changed */
	uint64_t lost_records; /* calls of a stream that did not fit the ring */
	uint64_t lost_counts;  /* calls counted, but kept nowhere */
	uint64_t lost_errors;  /* errors counted, but which they were is kept nowhere */
	uint64_t lost_events;  /* comings and goings that did not fit */
	uint64_t lost_threads; /* threads that could not be followed */
	uint64_t let_go;       /* processes no longer watched, because they gained privilege */
	uint64_t silent;       /* threads that neither entered a call nor returned from one */
	uint64_t overflows;    /* entries made in the overflow hash */
};

/* What finds no room in a thread's own memory. */
struct overflow_key {
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t tid;
	uint32_t number;
	uint32_t abi;
	uint32_t error; /* 0: the tally of the call itself */
	uint32_t unused;
};

struct overflow_value {
	uint64_t from_ns;
	uint64_t count;
	uint64_t errors;
	uint64_t unfinished;
	uint64_t total_ns;
	uint64_t max_ns;
	uint32_t histogram[SYSCALLS_BUCKETS];
};

#define OVERFLOW_ENTRIES 65536

#endif

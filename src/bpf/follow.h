/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What every program that follows threads agrees on with its loader
 * (os/linux/bpf/follow.h), whatever it observes of them.
 */
#ifndef SOOTH_BPF_FOLLOW_LAYOUT_H
#define SOOTH_BPF_FOLLOW_LAYOUT_H

#include <sooth/record.h>

enum follow_adopt {
	ADOPT_NONE = 0, /* only marked processes and their children */
	ADOPT_USER = 1, /* and every process of a user */
	ADOPT_ALL = 2,
};

/* Fixed at load; the kernel then drops the branches that cannot be taken. */
struct follow_config {
	uint32_t adopt;
	uint32_t uid;
	uint32_t own_pid;      /* the collector: it and who works for it are never adopted */
	uint32_t interest;     /* of adopted processes */
	uint32_t wakeup_bytes; /* wake the collector at each multiple that waits: a power of two */
	uint32_t ticks_per_s;
	uint32_t is_elevated; /* the caller may less than sooth: let go of what gains privilege */
};

/* Where threads live in a hash: room for so many at a time. */
#define FOLLOW_HASHED_THREADS 2048

enum follow_visit {
	VISIT_MARK = 1,	 /* follow the threads of a process, with an interest */
	VISIT_MUTE = 2,	 /* stop counting; the memory stays for the flush */
	VISIT_FLUSH = 3, /* hand over what muted threads counted */
	VISIT_LIST = 4,	 /* tell which threads are followed */
};

/* Read and written while it runs. */
struct follow_control {
	uint32_t visit;	      /* what the next walk over all threads does */
	uint32_t pid;	      /* for threads of this process; 0: all */
	uint64_t start_ticks; /* which it must have: the pid may be another's by now */
	uint32_t interest;
	uint32_t is_held;      /* observe nothing before the first exec */
	uint64_t visited;      /* threads it changed */
	uint64_t lost_records; /* events that did not fit the ring */
	uint64_t lost_comings; /* comings and goings that did not fit */
	uint64_t lost_threads; /* threads that could not be followed */
	uint64_t let_go;       /* processes no longer watched, because they gained privilege */
};

/* What VISIT_LIST writes, one after the other. */
struct follow_listed {
	uint32_t pid;
	uint32_t tid;
	uint32_t is_running; /* on a processor, or waiting for one */
	uint32_t unused;
};

#endif

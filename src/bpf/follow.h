/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Shared by all programs that follow threads, and their loader (os/linux/bpf/follow.h).
 */
#pragma once

#include <sooth/record.h>

enum follow_adopt {
	ADOPT_NONE = 0, /* only marked processes and their children */
	ADOPT_USER = 1, /* also every process of a user */
	ADOPT_ALL = 2,
};

/* Set at load; the kernel then removes the branches that cannot be taken. */
struct follow_config {
	uint32_t adopt;
	uint32_t uid;
	uint32_t own_pid;      /* the collector: it and its helper processes are never adopted */
	uint32_t interest;     /* interest of adopted processes */
	uint32_t wakeup_bytes; /* wake the collector whenever waiting bytes pass a multiple of this;
				  a power of two */
	uint32_t ticks_per_s;
	uint32_t is_elevated; /* sooth has more privileges than its caller: release what gains
				 privilege */
};

/* A bit beside enum interest, whose meaning the BPF program defines. Children inherit it. */
#define FOLLOW_MARK 0x10000

/* Size of the hash of threads, if there is one. */
#define FOLLOW_HASHED_THREADS 2048

enum follow_visit {
	VISIT_MARK = 1,	 /* follow the threads of a process, with an interest */
	VISIT_MUTE = 2,	 /* stop counting; the memory stays for the flush */
	VISIT_FLUSH = 3, /* hand over what muted threads counted */
	VISIT_LIST = 4,	 /* list the followed threads */
	VISIT_BEGIN = 5, /* ignore the CPU time that threads have used so far */
};

/* Read and written while the program runs. */
struct follow_control {
	uint32_t visit;	      /* what the next iteration over all threads does */
	uint32_t pid;	      /* process whose threads are visited; 0: all threads */
	uint64_t start_ticks; /* the process must have this start: the pid may have been reused */
	uint32_t interest;
	uint32_t is_before_exec; /* observe nothing before the first exec */
	uint64_t visited;	 /* threads that the visit changed */
	uint64_t unmarked; /* threads that the visit could not follow: no memory at that moment */
	uint64_t lost_records; /* events that did not fit the ring */
	uint64_t lost_joins;   /* joins and leaves that did not fit */
	uint64_t lost_threads; /* threads that could not be followed */
	uint64_t released;     /* processes no longer watched, because they gained privilege */
};

/* Written by VISIT_LIST for each thread. */
struct follow_listed {
	uint32_t pid;
	uint32_t tid;
	uint32_t is_running; /* the thread is on a CPU, or waits for a CPU */
	uint32_t unused;
};

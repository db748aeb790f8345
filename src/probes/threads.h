/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads: the threads of a process. THREADS_PROCESS ends the records of one
 * snapshot; shares of CPU are computed from two snapshots.
 */
#pragma once

#include <stddef.h>

#include <sooth/field.h>
#include <sooth/record.h>

enum threads_kind {
	THREADS_THREAD = 0x0800,
	THREADS_PROCESS = 0x0801, /* ends the records of one snapshot */
};

enum threads_policy { /* Scheduling policies, as sched(7) numbers them. */
	THREADS_OTHER = 0,
	THREADS_FIFO = 1,
	THREADS_RR = 2,
	THREADS_BATCH = 3,
	THREADS_IDLE = 5,
	THREADS_DEADLINE = 6,
	THREADS_EXT = 7,
	THREADS_POLICIES,
};
extern const struct sooth_names threads_policy_names; /* names by enum threads_policy; NULL: none */

struct threads_thread {
	struct sooth_record record; /* tid is set */
	uint64_t thread_start_ticks;
	uint64_t cpu_ns;
	uint64_t waited_ns; /* runnable, but another thread ran */
	uint64_t voluntary_switches, involuntary_switches;
	uint64_t stack_pointer;
	uint32_t syscall; /* number of the call that the thread is in */
	uint32_t abi;	  /* enum syscall_abi of that call */
	int32_t nice;
	uint32_t realtime_priority;
	uint32_t processor; /* CPU that the thread last ran on */
	uint32_t policy;    /* enum threads_policy */
	char state;	    /* R S D T t Z X I */
	uint8_t cpu_state;
	uint8_t cpu_is_ticks; /* cpu_ns has the resolution of a clock tick */
	uint8_t waited_state;
	uint8_t switches_state;
	uint8_t syscall_state;	    /* absent: the thread runs, or waits outside a call */
	uint8_t wait_channel_state; /* absent: the thread does not wait */
	uint8_t stack_pointer_state;
	struct sooth_text name;
	struct sooth_text wait_channel; /* function of the kernel it waits in */
	/* Older captures have nothing from here on. */
	uint64_t arguments[6]; /* arguments of the call it is in, as the processor holds them */
	uint64_t system_ns;    /* part of cpu_ns in the kernel, which estimates it */
	uint64_t faults;       /* page faults */
	uint64_t read_bytes, written_bytes; /* by read, write and similar calls, also of sockets */
	uint64_t reads, writes;		    /* number of these calls */
	uint8_t times_state;		    /* state of system_ns and the faults */
	uint8_t io_state;		    /* state of bytes and calls */
	uint8_t unused[6];
	/* Older captures have nothing from here on, either. */
	uint64_t major_faults; /* faults that waited for the disk */
};

#define THREADS_THREAD_LEAST 128
_Static_assert(THREADS_THREAD_LEAST == offsetof(struct threads_thread, arguments), "only grows");
#define THREADS_THREAD_WITH_TIMES 232
_Static_assert(
	THREADS_THREAD_WITH_TIMES == offsetof(struct threads_thread, major_faults), "only grows");

struct threads_process {
	struct sooth_record record;
	uint32_t threads;      /* number of records */
	uint8_t threads_state; /* truncated: the process has more threads; not measured: with the
				  reason */
	uint8_t unused[3];
};

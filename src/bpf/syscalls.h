/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the system call programs and their loader agree on. */
#ifndef SOOTH_BPF_SYSCALLS_H
#define SOOTH_BPF_SYSCALLS_H

#include "probes/syscalls.h"

/* Fixed at load. */
struct syscalls_config {
	uint8_t path_arguments[512]; /* by native number: which argument is a path, from 1 */
};

/* Read and written while it runs. */
struct syscalls_control {
	uint64_t lost_counts; /* calls counted, but kept nowhere */
	uint64_t lost_errors; /* errors counted, but which they were is kept nowhere */
	uint64_t silent;      /* threads that neither entered a call nor returned from one */
	uint64_t overflows;   /* entries made in the overflow hash */
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

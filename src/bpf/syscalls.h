/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Interface between the system call programs and their loader. */
#pragma once

#include "probes/syscalls.h"

#define SYSCALLS_NUMBERS 512 /* call numbers that are counted for each ABI */
#define SYSCALLS_ABIS	 2   /* the native ABI, and the other one (32-bit) */

/* A piece of memory to which an argument points. */
struct syscalls_capture {
	uint8_t argument; /* from 0 */
	uint8_t keep;	  /* enum syscalls_keep; SYSCALLS_KEEP_NOTHING ends the list */
	uint8_t is_result;
	uint8_t is_data; /* private data: kept only on request */
	uint32_t unit;
};

/* Fixed at load. */
struct syscalls_config {
	/* By native number: the argument, from 1, that is read when the call begins: the path of an
	 * exec, or SYSCALLS_REQUESTED_BYTES. */
	uint8_t entry_arguments[SYSCALLS_NUMBERS];
	/* By number, first of the native ABI, then of the other. */
	struct syscalls_capture captures[SYSCALLS_ABIS * SYSCALLS_NUMBERS][SYSCALLS_PIECES];
	/* Selected calls, a bit each; ignored if has_all is set. */
	uint64_t wanted[SYSCALLS_ABIS][SYSCALLS_NUMBERS / 64];
	/* Calls that are selected only because they change descriptors. */
	uint64_t followed[SYSCALLS_ABIS][SYSCALLS_NUMBERS / 64];
	uint32_t data_bytes; /* bytes to keep of data that is read or written */
	uint8_t has_all;
	uint8_t only_failed;
	uint8_t keeps_pieces;
	uint8_t has_budget;   /* not every call is recorded: bpf/budget.bpf.h */
	uint8_t keeps_status; /* keep the status if data that is read is an HTTP answer */
	uint8_t keeps_api;    /* keep facts about API calls on connections: bpf/api.bpf.h */
	uint8_t keeps_errors; /* keep output to standard error: bpf/error_output.bpf.h */
	uint8_t only_api;     /* calls that move bytes elsewhere are not recorded */
	uint8_t keeps_uring;  /* reads and writes through io_uring, one by one */
	uint8_t has_windows;  /* the programs may be detached for a time, by the number of calls */
	/* By native number, a bit each: SYSCALLS_CLASS_KEPT. */
	uint64_t kept[SYSCALLS_NUMBERS / 64];
	/* The same, a bit for each call that moves bytes through the descriptor in its first
	 * argument. */
	uint64_t moves[SYSCALLS_NUMBERS / 64];
};

/* Read and written while the programs run. */
struct syscalls_control {
	uint64_t lost_counts; /* calls counted, but kept nowhere */
	uint64_t lost_errors; /* errors counted, but without room for their numbers */
	uint64_t lost_uring;  /* requests to io_uring counted, but not reported */
	uint64_t silent;      /* threads that neither entered a call nor returned from one */
	uint64_t overflows;   /* entries made in the overflow hash */
	/* Set before a program is attached to io_uring_submit_sqe: the argument with the opcode; 0:
	 * the first argument is the request. */
	uint64_t uring_argument;
	/* With a budget: the current window, its records, and all calls that were only counted, up
	 * to the last record of their kind. */
	uint32_t window;
	uint32_t window_used;
	uint64_t skipped;
	/* If calls are counted in windows (os/linux/syscalls/syscalls_windows.h): calls in all
	 * windows, some hundreds too few per thread; the weight of a call of this window; the
	 * number of the window. */
	uint64_t calls;
	uint32_t step;
	uint32_t epoch;
	uint64_t counts_from_ns; /* calls are only counted from this time on; 0: as requested */
};

/* Aggregates that find no room in a thread's own memory. */
struct overflow_key {
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t tid;
	uint32_t number;
	uint32_t abi;
	uint32_t error; /* 0: the aggregate of the call itself */
	uint32_t unused;
};

struct overflow_value {
	uint64_t from_ns;
	uint64_t count;
	uint64_t errors;
	uint64_t unfinished;
	uint64_t total_ns;
	uint64_t max_ns;
	uint64_t untimed;
	uint32_t histogram[SYSCALLS_BUCKETS];
};

#define OVERFLOW_ENTRIES 65536

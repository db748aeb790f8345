/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Interface between the system call programs and their loader. */
#ifndef SOOTH_BPF_SYSCALLS_H
#define SOOTH_BPF_SYSCALLS_H

#include "probes/syscalls.h"

#define SYSCALLS_NUMBERS 512 /* of an ABI, that are known */
#define SYSCALLS_ABIS	 2   /* the native one, and the other */

/* Something that an argument points to. */
struct syscalls_capture {
	uint8_t argument; /* from 0 */
	uint8_t keep;	  /* enum syscalls_keep; nothing: the last one was before */
	uint8_t is_result;
	uint8_t is_data; /* of others: none unless it was asked for */
	uint32_t unit;
};

/* Fixed at load. */
struct syscalls_config {
	/* By native number: which argument is read when the call begins, from 1; the path of an
	 * exec, or SYSCALLS_REQUESTED_BYTES. */
	uint8_t entry_arguments[SYSCALLS_NUMBERS];
	/* By number, first of the native ABI, then of the other. */
	struct syscalls_capture captures[SYSCALLS_ABIS * SYSCALLS_NUMBERS][SYSCALLS_PIECES];
	/* Calls that are wanted, a bit each; those that have_all is set for are. */
	uint64_t wanted[SYSCALLS_ABIS][SYSCALLS_NUMBERS / 64];
	/* Wanted only for what becomes of descriptors. */
	uint64_t followed[SYSCALLS_ABIS][SYSCALLS_NUMBERS / 64];
	uint32_t data_bytes; /* of what is read and written */
	uint8_t has_all;
	uint8_t only_failed;
	uint8_t keeps_pieces;
	uint8_t has_budget;   /* not every call is recorded: bpf/budget.bpf.h */
	uint8_t keeps_status; /* of what is read: whether it is an answer of HTTP, and its status */
	uint8_t keeps_api;    /* what bytes on connections show of API calls: bpf/api.bpf.h */
	uint8_t keeps_errors; /* what is written to standard error: bpf/error_output.bpf.h */
	uint8_t only_api;     /* calls that move bytes elsewhere are not recorded */
	uint8_t keeps_uring;  /* reads and writes through io_uring, one by one */
	/* By native number, a bit each: SYSCALLS_CLASS_KEPT. */
	uint64_t kept[SYSCALLS_NUMBERS / 64];
	uint64_t moves[SYSCALLS_NUMBERS / 64]; /* the same: bytes, by the descriptor it has first */
};

/* Read and written while it runs. */
struct syscalls_control {
	uint64_t lost_counts; /* calls counted, but kept nowhere */
	uint64_t lost_errors; /* errors counted, but which they were is kept nowhere */
	uint64_t lost_uring;  /* requests to io_uring counted, but not reported */
	uint64_t silent;      /* threads that neither entered a call nor returned from one */
	uint64_t overflows;   /* entries made in the overflow hash */
	/* Set before a program is attached to io_uring_submit_sqe: which of its arguments is the
	 * opcode, 0: the first is the request. */
	uint64_t uring_argument;
	/* Where calls have a budget: the current window, its records, and all calls that were only
	 * counted, up to the last record of their kind. */
	uint32_t window;
	uint32_t window_used;
	uint64_t skipped;
	/* Where they are counted in windows (os/linux/syscalls/syscalls_windows.h): made in all
	 * windows, some hundreds fewer a thread; what each call of this window stands for; and
	 * which window it is. */
	uint64_t calls;
	uint32_t step;
	uint32_t epoch;
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

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums of the work of calls: by file, connection, process and kind of memory. */
#pragma once

#include "analyze/calls/call_fold.h"

#define OPERATION_PATH 240 /* longer ones are cut: their beginning distinguishes them */

struct operation_path {
	struct process_id process; /* zeros: all processes */
	char text[OPERATION_PATH];
};

struct operation_times {
	uint64_t total_ns, max_ns;
	uint64_t timed, unseen; /* calls with a duration; calls without */
};

struct io_sum {
	uint64_t read_bytes, written_bytes, reads, writes, opens, rewrites, errors;
	struct operation_times times;
	uint8_t kind; /* enum fd_followed_kind */
	bool is_written;
};

struct network_sum {
	uint64_t sent_bytes, received_bytes, sends, receives, connects, errors;
	struct operation_times times;
	char peer[FD_FOLLOW_ADDRESS];
};

struct memory_key {
	struct process_id process;
	char operation[32];
};

struct memory_sum {
	uint64_t calls, errors, bytes;
	struct operation_times times;
	uint8_t bytes_state;
};

struct operation_sums {
	struct map files;	/* operation_path -> io_sum */
	struct map connections; /* operation_path -> network_sum */
	struct map memory;	/* memory_key -> memory_sum */
	struct map breaks;	/* process_id -> uint64_t: result of its last brk(2); 0: unknown */
	bool by_process;
};

void operation_sums_init(struct operation_sums *s, bool by_process);
void operation_sums_fini(struct operation_sums *s);
void operation_sums_reset(struct operation_sums *s);
void operation_sums_add_call(struct operation_sums *s, struct folded_call *c);
/* Adds an io_uring request that read or wrote: no call, but with the same effect. */
void operation_sums_add_request(struct operation_sums *s, struct call_fold *fold,
	const struct syscalls_uring_done *request);
/* Handles a record that is no call: fork, exec and exit change which descriptors a process has. */
void operation_sums_follow(struct operation_sums *s, const struct sooth_record *r);

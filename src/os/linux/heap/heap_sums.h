/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations that the kernel side aggregates (bpf/heap_sums.bpf.h). The tables are read from time
 * to time, and the changes since the last time are emitted. All functions take NULL, and then do
 * nothing. */
#pragma once

#include "os/linux/heap/heap_stacks.h"

struct heap_sums_reader;

/* Gives the tables a form that this kernel supports, with the requested room. Called before the
 * programs are loaded. */
int heap_sums_prepare(
	struct bpf_code *code, const struct probe_options *options, struct sooth_error *err);
/* Opens the tables after the programs are loaded. NULL: failed, err is filled. */
struct heap_sums_reader *heap_sums_open(struct bpf_code *code, struct sooth_error *err);
/* Totals of all aggregated allocations. */
struct heap_sums_total {
	uint64_t calls, bytes;
};
struct heap_sums_total heap_sums_total(struct heap_sums_reader *r);
/* Appends the changes, if it is time to read the tables or `is_last`. Returns true then, and also
 * without a reader. */
bool heap_sums_emit(struct heap_sums_reader *r, struct backend_run *run, struct heap_stacks *stacks,
	const struct heap_control *control, bool is_last);
/* Notes a process that had ended before the tables were last read: its blocks are removed when
 * others need the room. */
void heap_sums_ended(struct heap_sums_reader *r, const struct process_id *process);
void heap_sums_close(struct heap_sums_reader *r);

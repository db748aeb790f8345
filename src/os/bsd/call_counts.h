/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts calls in windows of time, for backends that see each call. Writes records syscalls.count
 * and syscalls.error. */
#pragma once

#include "base/map.h"
#include "base/units.h"
#include "collect/backend.h"

#define CALL_COUNTS_WINDOW_NS NS_PER_S

struct call_counts {
	uint32_t abi;	   /* enum syscall_abi */
	struct map counts; /* process, thread and call -> count */
	struct map errors; /* process, thread, call and error -> count */
	uint64_t written_ns;
	uint64_t refused; /* calls not counted, as a table was full */
};

/* Counts of calls with the same process, thread, call and error (0: success). */
struct counted_calls {
	struct process_id process;
	uint64_t tid;
	uint32_t number;
	uint32_t error;
	uint64_t count;
	uint64_t total_ns, max_ns;
	uint32_t slot; /* slot of the histogram */
	bool is_untimed;
};

void call_counts_init(struct call_counts *c, uint32_t abi, uint64_t now_ns);
void call_counts_fini(struct call_counts *c);
void call_counts_add(struct call_counts *c, const struct counted_calls *calls);
/* Writes what was counted since the last time. */
void call_counts_write(struct call_counts *c, struct backend_run *run, uint64_t now_ns);

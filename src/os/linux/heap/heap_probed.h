/* SPDX-License-Identifier: BSD-2-Clause */
/* The overhead of the probes in each process (struct heap_overhead). */
#pragma once

#include "bpf/heap.h"
#include "collect/backend.h"
#include "os/linux/bpf/bpf.h"
#include "os/linux/heap/heap_attach.h"

/* The time that a hit takes, in ns; 0: not measured. */
struct heap_hit_cost {
	uint32_t entry_ns, return_ns, stepped_ns;
};

/* Measures the time of a hit, once, for some 5 ms. The probes are attached, and the calling thread
 * hits them itself. */
void heap_probed_measure(struct heap_attach *a, struct heap_hit_cost *out, const struct log *log);
/* Returns the time that the hits of `value` took. */
uint64_t heap_probed_ns(const struct heap_hit_cost *cost, const struct heap_probed_value *value);
/* Returns the hits of all processes so far. */
struct heap_probed_value heap_probed_sum(struct bpf_code *code);
/* Emits a record for each probed process. All threads were flushed before. */
void heap_probed_emit(
	const struct heap_hit_cost *cost, struct backend_run *run, struct bpf_code *code);

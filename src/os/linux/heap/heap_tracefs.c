/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations by probes that threads, children and exec'd programs inherit. */
#include "os/linux/heap/heap_source.h"
#include "os/linux/rights/needs.h"

static int heap_tracefs_open(struct backend_run *run, struct sooth_error *err)
{
	return heap_source_open(run, &prober_tracefs, err);
}

/* Links to one process come first where the overhead is limited: only they can leave while sooth is
 * stopped (links_holder.h). */
static uint64_t tracefs_cost(const struct probe_options *options)
{
	uint64_t cost = heap_source_cost(options);

	return cost == UINT64_MAX ? cost : cost + (options->observer.max_overhead_percent > 0);
}

static const struct need *const needs[] = { &need_bpf, &need_uprobe_events, &need_btf,
	&need_bpf_ring, &need_procfs, &need_time_namespace, NULL };

const struct backend backend_heap_tracefs = {
	HEAP_SOURCE,
	.name = "tracefs",
	.help = "uprobes on allocators, inherited by threads, children and exec'd programs",
	.needs = needs,
	.sample_cost = tracefs_cost,
	.target_ns = 660,
	.bystander_ns = 0,
	.event = "allocation or release",
	.open = heap_tracefs_open,
};

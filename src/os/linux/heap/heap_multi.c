/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations without root. A child runs unseen until it is attached to, which is reported as a
 * gap. */
#include "os/linux/heap/heap_source.h"
#include "os/linux/rights/needs.h"

static int heap_multi_open(struct backend_run *run, struct sooth_error *err)
{
	return heap_source_open(run, &prober_multi, err);
}

static const struct need *const needs[] = { &need_bpf, &need_uprobe_multi, &need_btf,
	&need_bpf_ring, &need_procfs, &need_time_namespace, NULL };

const struct backend backend_heap_multi = {
	HEAP_SOURCE,
	.name = "multi",
	.help = "uprobes on allocators, one link per process; new children have a gap",
	.needs = needs,
	.sample_cost = heap_source_cost,
	.target_ns = 660,
	.bystander_ns = 0,
	.event = "allocation or release",
	.open = heap_multi_open,
};

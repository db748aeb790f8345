/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations by probes that threads, children and exec'd programs inherit. */
#include "os/linux/heap/heap_source.h"
#include "os/linux/rights/needs.h"

static int heap_tracefs_open(struct backend_run *run, struct sooth_error *err)
{
	return heap_source_open(run, &prober_tracefs, err);
}

static const struct need *const needs[] = { &need_bpf, &need_uprobe_events, &need_btf,
	&need_bpf_ring, &need_procfs, &need_time_namespace, NULL };

const struct backend backend_heap_tracefs = {
	HEAP_SOURCE,
	.name = "tracefs",
	.help = "uprobes on allocators, inherited by threads, children and exec'd programs",
	.needs = needs,
	.target_ns = 660,
	.bystander_ns = 0,
	.event = "allocation or release",
	.open = heap_tracefs_open,
};

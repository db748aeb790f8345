/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations without root: a child runs unseen until it is attached to, told as a gap. */
#include "os/linux/heap_source.h"
#include "os/linux/needs.h"

static int heap_multi_open(struct backend_run *run, struct sooth_error *err)
{
	return heap_source_open(run, &prober_multi, err);
}

static const struct need *const needs[] = { &need_bpf, &need_uprobe_multi, &need_btf,
	&need_bpf_ring, &need_pid_namespace, NULL };

const struct backend backend_heap_multi = {
	.name = "multi",
	.probe = "heap",
	.help = "uprobes on allocators, a link to each process; new children have a gap",
	.needs = needs,
	.target_ns = 800,
	.bystander_ns = 0,
	.price_source = "bench/heap on Linux 6.18",
	.lateness_ns = HEAP_LATENESS_NS,
	.state_size = sizeof(struct heap_state),
	.open = heap_multi_open,
	.set = heap_source_set,
	.start = heap_source_start,
	.drain = heap_source_drain,
	.stop = heap_source_stop,
	.descriptor = heap_source_descriptor,
	.close = heap_source_close,
};

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sends the counts of a thread to user space: by the ring, or by a table if the ring is full. */
#pragma once

/* Adds counts to the table. Several threads of a process may do this at once. */
static void keep_aggregate(
	const struct thread *t, uint32_t function, const struct heap_aggregate *aggregate)
{
	struct heap_kept_key key = { t->member.start_ticks, t->member.pid, function };
	struct heap_kept blank = { .from_ns = t->member.from_ns };
	struct heap_kept *kept;

	bpf_map_update_elem(&kept_aggregates, &key, &blank, BPF_NOEXIST);
	kept = bpf_map_lookup_elem(&kept_aggregates, &key);
	if (!kept) {
		__sync_fetch_and_add(&control.lost_aggregates, aggregate->count);
		return;
	}
	__sync_fetch_and_add(&kept->aggregate.count, aggregate->count);
	__sync_fetch_and_add(&kept->aggregate.failed, aggregate->failed);
	__sync_fetch_and_add(&kept->aggregate.overflows, aggregate->overflows);
	__sync_fetch_and_add(&kept->aggregate.unfinished, aggregate->unfinished);
	__sync_fetch_and_add(&kept->aggregate.skipped, aggregate->skipped);
	__sync_fetch_and_add(&kept->aggregate.bytes, aggregate->bytes);
	__sync_fetch_and_add(&kept->aggregate.total_ns, aggregate->total_ns);
	if (aggregate->max_ns >
		kept->aggregate.max_ns) /* not atomic: of two threads the smaller maximum may win */
		kept->aggregate.max_ns = aggregate->max_ns;
	for (int i = 0; i < HEAP_BUCKETS; i++)
		__sync_fetch_and_add(&kept->aggregate.histogram[i], aggregate->histogram[i]);
}

VERIFIED_ALONE int flush_function(struct thread *t, uint32_t function, uint64_t now)
{
	struct heap_aggregate *aggregate;
	struct heap_count *r;

	if (!t || function >= HEAP_FUNCTIONS)
		return 0;
	aggregate = aggregate_of(t, function);
	if (!aggregate->count && !aggregate->unfinished)
		return 0;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		keep_aggregate(t, function, aggregate);
		return 0;
	}
	record_fill(&r->record, &t->member, HEAP_COUNT, RECORD_WORDS(struct heap_count), now);
	r->from_ns = t->member.from_ns;
	r->count = aggregate->count;
	r->failed = aggregate->failed;
	r->overflows = aggregate->overflows;
	r->unfinished = aggregate->unfinished;
	r->bytes = aggregate->bytes;
	r->total_ns = aggregate->total_ns;
	r->max_ns = aggregate->max_ns;
	r->function = function;
	r->is_partial = aggregate->skipped != 0;
	__builtin_memset(r->unused, 0, sizeof(r->unused));
	__builtin_memcpy(r->histogram, aggregate->histogram, sizeof(r->histogram));
	bpf_ringbuf_submit(r, ring_flags());
	return 0;
}

static void thread_flush(struct thread *t, uint64_t now)
{
	if (t->stack && !IS_SKIPPED(t))
		aggregate_of(t, t->function)->unfinished++;
	t->stack = 0;
	flush_cpu(t);
	for (uint32_t i = 0; i < HEAP_FUNCTIONS; i++)
		flush_function(t, i, now);
}

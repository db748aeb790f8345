/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Counts calls in the thread, keeps counts without room there, and flushes all at the end. */
#pragma once

#include "bpf/syscalls_thread.bpf.h"

/* Calls that were streamed before are not in the counts. */
static inline uint64_t counted_from(const struct thread *t)
{
	return t->member.interest & INTEREST_COUNT || control.counts_from_ns < t->member.from_ns
		       ? t->member.from_ns
		       : control.counts_from_ns;
}

static struct overflow_value *overflow_entry(
	const struct thread *t, uint32_t number, uint32_t abi, uint32_t error)
{
	struct overflow_key key = { .start_ticks = t->member.start_ticks,
		.pid = t->member.pid,
		.tid = t->member.tid,
		.number = number,
		.abi = abi,
		.error = error };
	struct overflow_value *value = bpf_map_lookup_elem(&overflow, &key);
	uint32_t first = 0;
	struct overflow_value *blank;

	if (value)
		return value;
	blank = bpf_map_lookup_elem(&zero, &first);
	if (!blank)
		return 0;
	bpf_map_update_elem(&overflow, &key, blank, BPF_NOEXIST);
	value = bpf_map_lookup_elem(&overflow, &key);
	if (!value)
		return 0;
	value->from_ns = counted_from(t);
	__sync_fetch_and_add(&control.overflows, 1);
	return value;
}

/* Counts a call in the table. Only the thread, or the flush of a muted thread, uses its key. */
static void overflow_call(const struct thread *t, int is_error, uint64_t now)
{
	struct overflow_value *v = overflow_entry(t, t->number, t->abi, 0);
	uint64_t duration_ns = now - t->entered_ns;

	if (!v) {
		__sync_fetch_and_add(&control.lost_counts, 1);
		return;
	}
	v->count++;
	v->errors += is_error != 0;
	if (!t->entered_ns) {
		v->untimed++;
		return;
	}
	v->total_ns += duration_ns;
	if (duration_ns > v->max_ns)
		v->max_ns = duration_ns;
	v->histogram[aggregate_bucket(duration_ns) & (SYSCALLS_BUCKETS - 1)]++;
}

static void overflow_error(
	const struct thread *t, uint32_t number, uint32_t abi, uint32_t error, uint64_t count)
{
	struct overflow_value *v = overflow_entry(t, number, abi, error);

	if (v)
		v->count += count;
	else
		__sync_fetch_and_add(&control.lost_errors, count);
}

/* Moves a slot to the table. If a verifier gives up on this (5.10), the counts are lost. */
static void overflow_slot(const struct thread *t, const struct aggregate_slot *s)
{
	struct overflow_value *v =
		VERIFIES_LITTLE ? 0 : overflow_entry(t, s->number, ABI_NATIVE, 0);

	if (!v) {
		__sync_fetch_and_add(&control.lost_counts, s->count);
		return;
	}
	v->count += s->count;
	v->errors += s->errors;
	v->unfinished += s->unfinished;
	v->untimed += s->untimed;
	v->total_ns += s->total_ns;
	if (s->max_ns > v->max_ns)
		v->max_ns = s->max_ns;
	for (int i = 0; i < SYSCALLS_BUCKETS; i++)
		v->histogram[i] += s->histogram[i];
}

static inline void count_call(struct thread *t, int64_t result, uint64_t now)
{
	struct aggregate_slot *slot = 0;
	/* The "return value" of rt_sigreturn is a register of the interrupted code. */
	int is_error = aggregate_is_error(result) &&
		       !(t->abi == ABI_NATIVE && t->number == NR_RT_SIGRETURN);

	if (t->abi == ABI_NATIVE)
		slot = aggregate_slot(&t->aggregate, t->number);
	if (!slot)
		overflow_call(t, is_error, now);
	else if (t->entered_ns)
		aggregate_slot_add(slot, is_error, now - t->entered_ns);
	else
		aggregate_slot_add_untimed(slot, is_error);
	if (!is_error)
		return;
	if (t->abi != ABI_NATIVE || !aggregate_error(&t->aggregate, t->number, (uint32_t)-result))
		overflow_error(t, t->number, t->abi, (uint32_t)-result, 1);
}

VERIFIED_ALONE int flush_slot(struct thread *t, uint32_t index, uint64_t now)
{
	struct aggregate_slot *s;
	struct syscalls_count *r;

	if (!t || index >= SYSCALLS_SLOTS)
		return 0;
	s = &t->aggregate.slots[index];
	if (!s->count && !s->unfinished)
		return 0;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		overflow_slot(t, s);
		return 0;
	}
	record_fill(
		&r->record, &t->member, SYSCALLS_COUNT, RECORD_WORDS(struct syscalls_count), now);
	r->from_ns = counted_from(t);
	r->number = s->number;
	r->abi = ABI_NATIVE;
	r->count = s->count;
	r->errors = s->errors;
	r->unfinished = s->unfinished;
	r->total_ns = s->total_ns;
	r->max_ns = s->max_ns;
	r->untimed = s->untimed;
	__builtin_memcpy(r->histogram, s->histogram, sizeof(r->histogram));
	bpf_ringbuf_submit(r, ring_flags());
	return 0;
}

VERIFIED_ALONE int flush_error(struct thread *t, uint32_t index, uint64_t now)
{
	struct aggregate_error *e;
	struct syscalls_error *r;

	if (!t || index >= SYSCALLS_ERROR_SLOTS)
		return 0;
	e = &t->aggregate.errors[index];
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r && VERIFIES_LITTLE) {
		__sync_fetch_and_add(&control.lost_errors, e->count);
		return 0;
	}
	if (!r) {
		overflow_error(t, e->number, ABI_NATIVE, e->error, e->count);
		return 0;
	}
	record_fill(
		&r->record, &t->member, SYSCALLS_ERROR, RECORD_WORDS(struct syscalls_error), now);
	r->from_ns = counted_from(t);
	r->number = e->number;
	r->abi = ABI_NATIVE;
	r->count = e->count;
	r->error = e->error;
	r->unused = 0;
	bpf_ringbuf_submit(r, ring_flags());
	return 0;
}

/* Counts a call that will not return, or has not returned yet. */
static void count_open_call(struct thread *t)
{
	struct aggregate_slot *slot = 0;
	struct overflow_value *v;
	bool is_last;

	if (t->abi == ABI_NATIVE)
		slot = aggregate_slot(&t->aggregate, t->number);
	is_last = abi_is_last(t->abi, t->number);
	if (slot) {
		slot->count += is_last;
		slot->untimed += is_last;
		slot->unfinished = !is_last;
		return;
	}
	v = overflow_entry(t, t->number, t->abi, 0);
	if (v) {
		v->count += is_last;
		v->untimed += is_last;
		v->unfinished += !is_last;
	} else {
		__sync_fetch_and_add(&control.lost_counts, 1);
	}
}

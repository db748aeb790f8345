/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/heap/heap_live.h"

#include <string.h>

#include "model/batch.h"
#include "model/schema.h"

/* Begins a new program: an exec discards what the earlier program held. */
static void begin_held(struct heap_live *l, struct heap_process *p, uint32_t program)
{
	if (p->held_program) {
		l->exec_bytes += p->live_bytes;
		l->exec_blocks += p->live_blocks;
		l->bytes -= p->has_left ? 0 : p->live_bytes;
		p->live_bytes = p->live_blocks = 0;
		p->origin = HEAP_FROM_EXEC;
	}
	p->held_freed = p->held_unknown = p->held_untracked = p->held_unsummed = 0;
	p->held_program = program;
}

static void set_live(struct heap_live *l, struct heap_process *p, uint64_t bytes, uint64_t blocks)
{
	if (!p->has_left)
		l->bytes += bytes - p->live_bytes;
	else if (!memcmp(&l->last_left, &l->last_id, sizeof(l->last_id)))
		l->last_bytes = bytes;
	p->live_bytes = bytes;
	p->live_blocks = blocks;
}

static void raise_peak(struct heap_live *l, uint64_t bytes, uint64_t time_ns)
{
	if (l->bytes > l->peak_look) {
		l->peak_look = l->bytes;
		l->peak_number++;
	}
	if (bytes <= l->peak_bytes)
		return;
	l->peak_bytes = bytes;
	l->peak_ns = time_ns;
}

/* --- sums of a stack --- */

static void add_blocks_of_size(
	struct heap_live *l, struct heap_stack_sum *stack, const struct heap_sum *s, bool is_live)
{
	struct heap_part_key key = { l->last_id, s->program, s->stack, s->size_class, 0 };
	unsigned window = heap_live_window(l, s->record.time_ns);
	struct heap_part *part = map_put(&l->parts, &key, NULL);
	uint64_t bytes = s->allocated_bytes - s->freed_bytes, blocks = s->calls - s->freed_blocks;

	if (part) {
		part->calls += s->calls;
		part->allocated_bytes += s->allocated_bytes;
	}
	if (!is_live)
		return;
	if (part) {
		part->live_bytes += bytes;
		part->live_blocks += blocks;
	}
	heap_live_gain(l, stack, bytes, blocks, window);
}

static void sum_up(struct heap_process *p, const struct heap_sum *s)
{
	if (s->program > p->summed_program) {
		p->summed_bytes = p->summed_blocks = p->summed_freed = 0;
		p->summed_program = s->program;
	}
	if (s->program < p->summed_program)
		return;
	p->summed_bytes += s->allocated_bytes - s->freed_bytes;
	p->summed_blocks += s->calls - s->freed_blocks;
	p->summed_freed += s->freed_bytes;
}

/* Applies sums of stacks. With samples the values of the process are estimates too: the sums of its
 * stacks, including those from before sampling began. */
static void apply_sums_by_stack(
	struct heap_live *l, struct heap_process *p, const struct heap_sum *s)
{
	if (s->program > p->held_program)
		begin_held(l, p, s->program);
	if (s->program < p->held_program) {
		l->freed_bytes += s->freed_bytes;
		return;
	}
	l->freed_bytes += p->summed_freed - p->held_freed;
	p->held_freed = p->summed_freed;
	if (s->program > p->over_program)
		set_live(l, p, p->summed_bytes, p->summed_blocks);
}

static struct heap_stack_sum *apply_sum(struct heap_live *l, const struct heap_sum *s)
{
	struct heap_process *p = heap_live_process(l, &s->record);
	struct heap_stack_sum *stack =
		s->stack_state == SOOTH_STATE_VALUE ? map_put(&l->stacks, &s->stack, NULL) : NULL;

	if (p) {
		p->is_sampled |= s->sample_bytes != 0;
		sum_up(p, s);
	}
	if (p && p->is_sampled)
		apply_sums_by_stack(l, p, s);
	if (!p || !stack) {
		l->unstacked += s->calls;
		return NULL;
	}
	heap_live_window(l, s->from_ns);
	if (s->program > p->program) {
		if (p->program)
			heap_live_end_parts(l, s->program, s->record.time_ns);
		p->program = s->program;
	}
	stack->calls += s->calls;
	stack->allocated_bytes += s->allocated_bytes;
	stack->freed_blocks += s->freed_blocks;
	stack->freed_bytes += s->freed_bytes;
	stack->short_blocks += s->short_blocks;
	stack->short_bytes += s->short_bytes;
	add_blocks_of_size(l, stack, s, s->program == p->program && s->program > p->over_program);
	return stack;
}

static void apply_sampled_sums(struct heap_live *l, const struct heap_sum *samples)
{
	double allocated, live;
	struct heap_stack_sum *stack;
	struct heap_sum sum;

	l->has_held = true;
	if (!heap_estimates_update(&l->estimates, samples, &sum, &allocated, &live)) {
		l->untracked += samples->calls;
		return;
	}
	stack = apply_sum(l, &sum);
	l->live_variance += live;
	if (stack) {
		stack->allocated_variance += allocated;
		stack->live_variance += live;
	}
}

void heap_held_add_sum(struct heap_live *l, const struct heap_sum *s)
{
	struct heap_sum all = { 0 };

	if (record_holds(&s->record, sizeof(*s)) && s->sample_bytes) {
		apply_sampled_sums(l, s);
		return;
	}
	memcpy(&all, s, HEAP_SUM_LEAST);
	apply_sum(l, &all);
}

/* --- values of a process --- */

static void count_unknown_frees(
	struct heap_live *l, const struct heap_process *p, const struct heap_held *h)
{
	uint64_t frees = h->frees_unknown - p->held_unknown;

	/* The exec may have been reported before the frees that precede it. */
	if (p->origin == HEAP_FROM_FORK || h->is_forked)
		l->frees_inherited += frees;
	else if (p->origin == HEAP_FROM_BEFORE)
		l->frees_from_before += frees;
	else
		l->frees_unknown += frees;
	if (p->origin == HEAP_FROM_BEFORE)
		heap_gain_add(&l->older.blocks[heap_live_window(l, h->record.time_ns)], frees);
}

static void count_blocks_without_room(
	struct heap_live *l, struct heap_process *p, const struct heap_held *h)
{
	l->untracked += h->untracked_blocks - p->held_untracked;
	l->unstacked += h->unsummed_blocks - p->held_unsummed;
	p->held_untracked = h->untracked_blocks;
	p->held_unsummed = h->unsummed_blocks;
}

/* Applies the values of a sampled process that its sums by stack do not have. */
static void apply_sampled_process(
	struct heap_live *l, struct heap_process *p, const struct heap_held *h)
{
	l->estimates.sample_bytes = h->sample_bytes;
	p->is_sampled = true;
	count_unknown_frees(l, p, h);
	p->held_unknown = h->frees_unknown;
	count_blocks_without_room(l, p, h);
	if (p->live_bytes > p->peak_bytes)
		p->peak_bytes = p->live_bytes;
	raise_peak(l, p->peak_bytes, h->record.time_ns);
	raise_peak(l, l->bytes, h->record.time_ns);
}

void heap_held_add(struct heap_live *l, const struct heap_held *h)
{
	struct heap_process *p = heap_live_process(l, &h->record);

	if (!p || h->program < p->held_program)
		return;
	l->has_held = true;
	if (h->program > p->held_program)
		begin_held(l, p, h->program);
	if (record_holds(&h->record, sizeof(*h)) && h->sample_bytes) {
		apply_sampled_process(l, p, h);
		return;
	}
	if (h->program <= p->over_program) {
		l->exec_bytes += h->live_bytes - p->over_bytes;
		l->exec_blocks += h->live_blocks - p->over_blocks;
		p->over_bytes = h->live_bytes;
		p->over_blocks = h->live_blocks;
	} else {
		set_live(l, p, h->live_bytes, h->live_blocks);
	}
	if (h->peak_bytes > p->peak_bytes)
		p->peak_bytes = h->peak_bytes;
	l->freed_bytes += h->freed_bytes - p->held_freed;
	count_unknown_frees(l, p, h);
	count_blocks_without_room(l, p, h);
	p->held_freed = h->freed_bytes;
	p->held_unknown = h->frees_unknown;
	/* The kernel measures the peak of each process; that of several is computed at each
	 * record. */
	raise_peak(l, p->peak_bytes, h->record.time_ns);
	raise_peak(l, l->bytes, h->record.time_ns);
}

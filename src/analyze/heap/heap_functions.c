/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/heap/heap_functions.h"

#include "bpf/log2.h"
#include "model/schema.h"

bool heap_call_failed(const struct heap_call *c)
{
	return c->function != HEAP_FREE && !c->address && c->size &&
	       c->size_state == SOOTH_STATE_VALUE;
}

static uint32_t position_of_function(uint32_t function)
{
	return function < HEAP_FUNCTIONS ? function : HEAP_FUNCTIONS;
}

uint8_t heap_failed_state(const struct heap_function_sum *sum, uint8_t measured_state)
{
	return !measured_state && sum->is_partial && !sum->failed
		       ? SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED)
		       : measured_state;
}

static void add_sum(struct heap_function_sum *to, const struct heap_function_sum *one)
{
	to->count += one->count;
	to->failed += one->failed;
	to->overflows += one->overflows;
	to->unfinished += one->unfinished;
	to->bytes += one->bytes;
	to->total_ns += one->total_ns;
	to->is_partial |= one->is_partial;
	if (one->max_ns > to->max_ns)
		to->max_ns = one->max_ns;
}

static void add_to_function_and_total(
	struct heap_sums *s, uint32_t function, const struct heap_function_sum *one)
{
	s->has_any = true;
	add_sum(&s->functions[position_of_function(function)], one);
	add_sum(&s->all, one);
}

void heap_sums_add_call(struct heap_sums *s, const struct heap_call *c)
{
	bool is_free = c->function == HEAP_FREE, has_failed = heap_call_failed(c);
	struct heap_function_sum one = { .count = 1,
		.failed = has_failed,
		.overflows = c->is_overflow != 0,
		.bytes = is_free || has_failed ? 0 : c->size,
		.total_ns = c->duration_ns,
		.max_ns = c->duration_ns };

	add_to_function_and_total(s, c->function, &one);
	if (!is_free)
		s->histogram[log2_bucket(c->size, HEAP_BUCKETS)]++;
}

void heap_sums_add_count(struct heap_sums *s, const struct heap_count *c)
{
	struct heap_function_sum one = { .count = c->count,
		.failed = c->failed,
		.overflows = c->overflows,
		.unfinished = c->unfinished,
		.bytes = c->bytes,
		.total_ns = c->total_ns,
		.max_ns = c->max_ns,
		.is_partial = c->is_partial != 0 };

	add_to_function_and_total(s, c->function, &one);
	for (unsigned i = 0; i < HEAP_BUCKETS; i++)
		s->histogram[i] += c->histogram[i];
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/heap/heap_estimate.h"

#include <math.h>

#include "model/process_id.h"

#define SAMPLES_MAX (1u << 20)

struct sample_key {
	struct process_id process;
	uint32_t program, stack, size, unused;
};

/* Sums of samples so far, and the sums that were already reported. */
struct sample_sum {
	uint64_t calls, freed_blocks, short_blocks;
	uint64_t allocated_bytes, freed_bytes, short_bytes;
	struct heap_sum reported;
};

void heap_estimates_init(struct heap_estimates *e)
{
	*e = (struct heap_estimates){ 0 };
	map_init(&e->samples, sizeof(struct sample_key), sizeof(struct sample_sum), SAMPLES_MAX);
}

void heap_estimates_fini(struct heap_estimates *e)
{
	map_fini(&e->samples);
}

static void add_sum(struct sample_sum *s, const struct heap_sum *one)
{
	s->calls += one->calls;
	s->freed_blocks += one->freed_blocks;
	s->short_blocks += one->short_blocks;
	s->allocated_bytes += one->allocated_bytes;
	s->freed_bytes += one->freed_bytes;
	s->short_bytes += one->short_bytes;
}

/* Returns the estimate of the total less the reported amount, so rounding errors do not add up. */
static uint64_t estimate_gain(uint64_t value, double weight, uint64_t *reported)
{
	uint64_t all = (uint64_t)llround((double)value * weight), gain = all - *reported;

	*reported = all;
	return gain;
}

bool heap_estimates_update(struct heap_estimates *e, const struct heap_sum *samples,
	struct heap_sum *estimate, double *allocated, double *live)
{
	struct sample_key key = { process_id_of(&samples->record), samples->program, samples->stack,
		samples->sampled_size, 0 };
	struct sample_sum *s = map_put(&e->samples, &key, NULL);
	double size = samples->sampled_size ? samples->sampled_size : 1;
	double chance = -expm1(-size / (double)samples->sample_bytes);
	double variance = size * size * (1 - chance) / (chance * chance);
	double kept = (double)samples->calls - (double)samples->freed_blocks;

	e->sample_bytes = samples->sample_bytes;
	if (!s)
		return false;
	add_sum(s, samples);
	*estimate = *samples;
	estimate->calls = estimate_gain(s->calls, 1 / chance, &s->reported.calls);
	estimate->freed_blocks =
		estimate_gain(s->freed_blocks, 1 / chance, &s->reported.freed_blocks);
	estimate->short_blocks =
		estimate_gain(s->short_blocks, 1 / chance, &s->reported.short_blocks);
	estimate->allocated_bytes =
		estimate_gain(s->allocated_bytes, 1 / chance, &s->reported.allocated_bytes);
	estimate->freed_bytes = estimate_gain(s->freed_bytes, 1 / chance, &s->reported.freed_bytes);
	estimate->short_bytes = estimate_gain(s->short_bytes, 1 / chance, &s->reported.short_bytes);
	*allocated = (double)samples->calls * variance;
	*live = kept * variance;
	return true;
}

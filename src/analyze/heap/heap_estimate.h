/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Estimates all blocks from samples. A block of s bytes is sampled with probability p = 1 -
 * exp(-s/N), N the mean distance of samples, and stands for 1/p blocks. The estimate has no bias;
 * its variance is the sum of (1-p)/p^2 over the samples, times s^2 for bytes. Numbers of blocks are
 * given without error: small blocks are so rarely sampled that there may be no sample. (Horvitz
 * and Thompson 1952; the samples are a Poisson process along the allocated bytes.)
 */
#pragma once

#include "base/map.h"
#include "probes/heap.h"

struct heap_estimates {
	struct map samples;    /* process, program, stack and size -> the samples so far */
	uint64_t sample_bytes; /* 0: nothing was sampled */
};

void heap_estimates_init(struct heap_estimates *e);
void heap_estimates_fini(struct heap_estimates *e);
/* Sets `estimate` to the blocks that the samples stand for, less the estimates returned earlier.
 * Sets `allocated` and `live` to the increase of the variance of allocated and live bytes. False:
 * no room. */
bool heap_estimates_update(struct heap_estimates *e, const struct heap_sum *samples,
	struct heap_sum *estimate, double *allocated, double *live);

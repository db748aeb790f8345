/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From samples to all blocks. A block of s bytes is a sample with the chance p = 1 - exp(-s/N), N
 * the mean distance of samples, and stands for 1/p blocks: what is estimated so has no bias, and
 * its variance is the sum of (1-p)/p^2 over the samples, times s^2 where bytes are estimated. No
 * error is given for a number of blocks: small ones are samples so seldom that none of them may be
 * among the samples. (Horvitz and Thompson 1952; the samples are a Poisson process along the
 * allocated bytes.)
 */
#ifndef SOOTH_ANALYZE_HEAP_ESTIMATE_H
#define SOOTH_ANALYZE_HEAP_ESTIMATE_H

#include "base/map.h"
#include "probes/heap.h"

struct heap_estimates {
	struct map samples;    /* of each process, program, stack and size: what there was so far */
	uint64_t sample_bytes; /* 0: nothing was sampled */
};

void heap_estimates_init(struct heap_estimates *e);
void heap_estimates_fini(struct heap_estimates *e);
/* Sets `estimate` to the sum of all blocks that the samples stand for, less what was reported
 * before. Sets `allocated` and `live` to how much the variances of the allocated and the live bytes
 * grow. False: no room. */
bool heap_estimates_take(struct heap_estimates *e, const struct heap_sum *samples,
	struct heap_sum *estimate, double *allocated, double *live);

#endif

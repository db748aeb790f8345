/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pages of memory remain, and the stack that touched each of them first. A page is there from
 * its fault until the program gives it back, replaces itself or ends. Pages that were there before
 * the observation are not known, nor what the kernel takes away to swap them out.
 *
 * A fault that was recorded stands for itself or for several: then all numbers are estimates, and a
 * page that faulted twice, because it was read first or after a fork, may count twice.
 */
#ifndef SOOTH_ANALYZE_PAGE_LIVE_H
#define SOOTH_ANALYZE_PAGE_LIVE_H

#include "base/buffer.h"
#include "base/map.h"
#include "model/process_id.h"
#include "probes/profile.h"

/* All in pages. A variance of an estimate; 0: it is exact. */
struct pages_held {
	uint64_t pages, variance;
};

struct page_sum {
	uint64_t touched, touched_variance;
	struct pages_held remaining; /* of these */
	/* pages that remained at a peak; a stack notes them at its first change after it */
	struct pages_held noted;
	uint64_t noted_peak; /* 0: it never changed */
};

struct page_live {
	uint64_t page_bytes;
	struct map processes; /* struct process_id -> its pages */
	struct map stacks;    /* uint32_t -> struct page_sum */
	uint64_t recorded;    /* faults; all others stand for as many as are touched */
	uint64_t touched, touched_variance, again, released, ended;
	struct pages_held remaining;
	struct pages_held peak; /* the most that remained at a time */
	uint64_t peak_number;	/* one more with each */
	uint64_t count;		/* of all processes: pages that are kept, each for itself */
	uint64_t refused;	/* pages beyond the bounds */
	struct buffer numbers;	/* of pages at hand */
};

void page_live_init(struct page_live *l);
void page_live_fini(struct page_live *l);
void page_live_add_record(struct page_live *l, const struct sooth_record *r);
/* Pages of a stack that remained at the peak. */
struct pages_held page_live_at_peak(const struct page_live *l, const struct page_sum *sum);
/* Whether all that was touched has been given back, or its processes have ended. */
bool page_live_is_over(const struct page_live *l);
/* Whether some faults stand for several. */
bool page_live_is_estimate(const struct page_live *l);

#endif

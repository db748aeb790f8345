/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pages of memory remain, and the stack that first touched each page. A page remains from its
 * fault until the program frees it, execs or ends. Unknown are pages from before the observation,
 * and pages that the kernel swaps out.
 *
 * A recorded fault may stand for several. Then all numbers are estimates, and a page that faulted
 * twice (read first, or after a fork) may count twice.
 */
#pragma once

#include "base/buffer.h"
#include "base/map.h"
#include "model/process_id.h"
#include "probes/profile.h"

/* A number of pages and its variance; 0: it is exact. */
struct pages_held {
	uint64_t pages, variance;
};

struct page_sum {
	uint64_t touched, touched_variance;
	struct pages_held remaining; /* values of the touched pages that remain */
	/* pages that remained at the peak `noted_peak`, saved at the first change after the peak */
	struct pages_held noted;
	uint64_t noted_peak; /* 0: the stack never changed */
};

struct page_held {
	uint64_t page_bytes;
	struct map processes; /* struct process_id -> its pages */
	struct map stacks;    /* uint32_t -> struct page_sum */
	uint64_t recorded;    /* recorded faults, which stand for `touched` pages */
	uint64_t touched, touched_variance, again, released, ended;
	struct pages_held remaining;
	struct pages_held peak; /* the most that remained at a time */
	uint64_t peak_number;	/* incremented at each new peak */
	uint64_t count;		/* kept pages of all processes */
	uint64_t refused;	/* pages beyond the bounds */
	struct buffer numbers;	/* page numbers of the current record */
};

void page_held_init(struct page_held *l);
void page_held_fini(struct page_held *l);
void page_held_add_record(struct page_held *l, const struct sooth_record *r);
/* Pages of a stack that remained at the peak. */
struct pages_held page_held_at_peak(const struct page_held *l, const struct page_sum *sum);
/* Returns whether all touched pages were freed, or their processes have ended. */
bool page_held_is_over(const struct page_held *l);
/* Returns whether some recorded faults stand for several. */
bool page_held_is_estimate(const struct page_held *l);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The function in which a process first touched most of its new pages: there its memory grows,
 * whatever the allocator. This is an estimate, from a sample of the page faults.
 */
#ifndef SOOTH_ANALYZE_MEMORY_PLACE_H
#define SOOTH_ANALYZE_MEMORY_PLACE_H

#include "analyze/profile/profile_sums.h"
#include "base/map.h"

struct page_touches {
	struct map stacks; /* process and stack -> uint64_t: page faults */
	uint64_t page_bytes;
};

struct memory_place {
	struct span function, file; /* borrowed */
	unsigned percent;	    /* of the pages that were touched */
	uint64_t touched_bytes;	    /* by the whole process */
};

void page_touches_init(struct page_touches *t);
void page_touches_fini(struct page_touches *t);
void page_touches_add_record(struct page_touches *t, const struct sooth_record *r);
void page_touches_next_interval(struct page_touches *t);
/* False: there are too few page faults, no function has a third of them, or they do not fit the
 * growth (`grown_bytes`), as when memory is freed and allocated again. */
bool memory_place_find(struct memory_place *out, const struct page_touches *t,
	const struct profile_sums *names, const struct process_id *id, uint64_t grown_bytes);

#endif

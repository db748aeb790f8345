/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Growth of resident memory that the allocator's calls do not explain: which kind of memory grew,
 * and which code touched its pages first. Empty unless the mappings and page faults were recorded.
 */
#pragma once

#include "analyze/maps/map_gains.h"
#include "analyze/profile/page_held.h"
#include "analyze/profile/profile_sums.h"
#include "probes/host.h"

struct heap_elsewhere {
	struct map_gains maps;
	struct page_held pages;
	struct profile_sums names;
	struct snapshots limits;
	struct host_memory memory;
	bool has_classes;
	bool has_collector, has_runtime;		      /* a runtime has a heap of its own */
	struct maps_managed_heap managed_first, managed_last; /* of one process; time 0: none */
};

/* Bytes that remain in the old generation of a Java heap after its collections. */
struct heap_managed_growth {
	uint64_t first, last;
	uint64_t collections; /* between the two */
	uint32_t pid;
	bool has_classes;   /* the runtime was asked for its objects */
	bool keeps_objects; /* the heap keeps more after its collections: that is no garbage */
};

struct heap_elsewhere_answer {
	bool has_class, has_place;
	enum map_class class_; /* kind with at least half of the growth */
	uint64_t gain_bytes;   /* of that kind */
	/* An allocator owns the memory: code that touches a page may keep nothing in it. */
	bool is_handed_on;
	bool is_collected;	    /* a collector may free it */
	struct span function, file; /* where most of the remaining pages were touched; borrowed */
	unsigned percent;	    /* of these pages */
};

void heap_elsewhere_init(struct heap_elsewhere *e);
void heap_elsewhere_fini(struct heap_elsewhere *e);
/* Returns 0, or -ENOMEM. */
int heap_elsewhere_add_record(struct heap_elsewhere *e, const struct sooth_record *r);
/* Returns 0, or -ENOMEM. */
int heap_elsewhere_find(struct heap_elsewhere *e, struct heap_elsewhere_answer *out);

/* Returns whether the counters of a Java heap were read twice. */
bool heap_elsewhere_managed(const struct heap_elsewhere *e, struct heap_managed_growth *out);
/* Returns how much more memory the process can use; UINT64_MAX: unknown. */
uint64_t heap_elsewhere_room(const struct heap_elsewhere *e, uint32_t pid);

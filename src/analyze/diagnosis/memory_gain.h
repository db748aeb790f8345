/* SPDX-License-Identifier: BSD-2-Clause */
/* Which kinds of memory of a process grew during the observation. */
#ifndef SOOTH_ANALYZE_MEMORY_GAIN_H
#define SOOTH_ANALYZE_MEMORY_GAIN_H

#include "analyze/diagnosis/check.h"
#include "analyze/maps/map_classes.h"

struct memory_class {
	enum map_class class_;
	int64_t gain_bytes, rss_bytes; /* since the first sample; at the last */
};

struct memory_gain {
	bool is_known;				  /* two samples have values */
	struct memory_class classes[MAP_CLASSES]; /* largest gain first */
	int64_t own_bytes;			  /* gained, without file pages */
	int64_t new_bytes;     /* of own_bytes, without what fills anonymous memory mapped before */
	int64_t own_rss_bytes; /* at the last sample, without file pages */
	int64_t file_bytes;
	int64_t touched_bytes; /* of shared memory that was mapped before */
	uint32_t runtimes;     /* at the last sample, if there was one */
};

void memory_gain_read(struct memory_gain *m, const struct check *e);
/* The class with the largest gain, file pages excluded. */
const struct memory_class *memory_gain_leading(const struct memory_gain *m);

#endif

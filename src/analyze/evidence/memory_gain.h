/* SPDX-License-Identifier: BSD-2-Clause */
/* Which kinds of memory of a process grew during the observation. */
#ifndef SOOTH_ANALYZE_MEMORY_GAIN_H
#define SOOTH_ANALYZE_MEMORY_GAIN_H

#include "analyze/diagnosis/check.h"
#include "analyze/maps/map_classes.h"

struct memory_class {
	enum map_class class_;
	int64_t gain_bytes, rss_bytes; /* gain since the first sample; size at the last */
};

struct memory_gain {
	bool is_known;				  /* two samples have values */
	struct memory_class classes[MAP_CLASSES]; /* largest gain first */
	int64_t own_bytes;			  /* gain of all classes except file pages */
	int64_t new_bytes;     /* own_bytes without pages of memory mapped before */
	int64_t own_rss_bytes; /* at the last sample, without file pages */
	int64_t file_bytes;
	int64_t touched_bytes; /* gain of shared memory that was mapped before */
	uint32_t runtimes;     /* bits 1 << MAPS_V8 etc., at the last sample */
};

void memory_gain_read(struct memory_gain *m, const struct check *e);
/* Returns the class with the largest gain, apart from file pages. */
const struct memory_class *memory_gain_leading(const struct memory_gain *m);

#endif

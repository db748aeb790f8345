/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the memory of a process changed during the observation: whether resident memory grows, comes
 * back to its lows, or stopped growing, and which kinds of memory grew. The functions need the
 * options of memory-growth.
 */
#pragma once

#include "analyze/diagnosis/check.h"
#include "analyze/maps/map_classes.h"

#define MEMORY_POINTS_MAX 512

struct memory_trend {
	struct growth growth;
	bool is_of_floors; /* `growth` is measured between lows, after memory was freed */
	unsigned falls;
	double low_gain;  /* gain from the lows of the first part of the time to those of the last
			     part */
	bool has_stopped; /* no growth in the last part */
	double largest_fall; /* largest fall from the highest value so far */
	double late;	     /* share of the gain that came in the last third of the time */
	double bend;	     /* largest distance from a straight line, as a share of the gain */
};

size_t memory_trend_points(const struct check *e, struct growth_point out[MEMORY_POINTS_MAX]);
/* `points`: at least two. */
void memory_trend_of(struct memory_trend *j, const struct check *e,
	const struct growth_point *points, size_t count);

struct memory_class {
	enum map_class class_;
	int64_t gain_bytes, rss_bytes; /* gain since the first sample; size at the last */
};

struct memory_gain {
	bool is_known;				  /* two samples have values */
	struct memory_class classes[MAP_CLASSES]; /* largest gain first */
	int64_t own_bytes;			  /* gain of all classes except file pages */
	int64_t new_bytes;     /* own_bytes without pages of memory mapped before */
	int64_t own_rss_bytes; /* memory at the last sample, without file pages */
	int64_t touched_bytes; /* gain of shared memory that was mapped before */
	uint32_t runtimes;     /* bits 1 << MAPS_V8 etc., at the last sample */
};

void memory_gain_read(struct memory_gain *m, const struct check *e);
/* Returns the class with the largest gain, apart from file pages. */
const struct memory_class *memory_gain_leading(const struct memory_gain *m);

#define MEMORY_COLLECTORS                                                                          \
	(1u << MAPS_JAVASCRIPTCORE | 1u << MAPS_V8 | 1u << MAPS_GO | 1u << MAPS_JAVA)

bool memory_has_collector(const struct memory_gain *m);
/* Returns whether the growth is worth a report with low severity, although a start, a cache or
 * garbage could explain it. */
bool memory_climbs(
	const struct check *e, const struct memory_trend *j, const struct memory_gain *m);
/* The same for a gain below the option's minimum. */
bool memory_climbs_slowly(
	const struct check *e, const struct memory_trend *j, const struct memory_gain *m);

/*
 * The bytes that remain in a Java heap after garbage collections. Resident memory does not show
 * them: a JVM takes a large part of its heap at once, and fills it with garbage first.
 */

struct managed_heap {
	uint64_t first, last; /* bytes in the old generation, after a collection */
	uint64_t collections; /* collections between the samples, of all kinds */
	uint64_t interval_ns;
};

/* Returns whether at least `least_bytes` more remain at the last sample than at the first, after
 * enough collections; false also if the JVM's counters were not read at both. */
bool managed_heap_grows(struct managed_heap *h, const struct check *e, double least_bytes);

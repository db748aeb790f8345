/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One value over time, in a bounded number of buckets of the same length. When time outgrows them,
 * two become one, so weeks take no more memory than seconds. Where nothing was measured there is a
 * gap, which is not 0.
 */
#ifndef SOOTH_ANALYZE_TRACK_H
#define SOOTH_ANALYZE_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACK_BUCKETS	  480
#define TRACK_SHORTEST_NS 1000000ull

/* Shared by all tracks of a timeline: its start, and the present length of a bucket. */
struct track_axis {
	uint64_t begin_ns, end_ns;
	uint64_t stretch_ns;
};

enum track_kind {
	TRACK_RATE,  /* an amount between two snapshots; shown per second */
	TRACK_COUNT, /* events at moments; shown per second of covered time */
	TRACK_LEVEL, /* a state that holds until the next snapshot; the highest is shown */
};

struct track_bucket {
	double amount;
	uint64_t covered_ns; /* the measured part of the bucket */
};

struct track {
	enum track_kind kind;
	uint64_t stretch_ns;
	double total;	    /* of a rate or count: the sum of all values */
	double least, last; /* of a level */
	bool has_level;
	uint64_t from_ns, to_ns; /* of all values */
	uint64_t longest_ns;	 /* the longest time of a single value */
	struct track_bucket stretches[TRACK_BUCKETS];
};

void track_axis_begin(struct track_axis *axis, uint64_t begin_ns);
/* Extends the axis to that time. */
void track_axis_reach(struct track_axis *axis, uint64_t time_ns);
/* The number of buckets up to now. */
size_t track_axis_count(const struct track_axis *axis);

/* All may lengthen the buckets; times before the start are ignored. */
void track_rate(struct track *track, struct track_axis *axis, uint64_t from_ns, uint64_t to_ns,
	double amount);
void track_level(struct track *track, struct track_axis *axis, uint64_t from_ns, uint64_t to_ns,
	double level);
void track_count(struct track *track, struct track_axis *axis, uint64_t at_ns, double amount);
/* Marks time as covered: without it a count has only gaps. */
void track_cover(struct track *track, struct track_axis *axis, uint64_t from_ns, uint64_t to_ns);

struct track_values {
	double least, mean, most, last;
	bool has_any;
};

/* Marks the sum as covered wherever this part of it is. */
void track_cover_part(struct track *sum, struct track *part, const struct track_axis *axis);

/*
 * track_axis_count() values, NaN for a gap. A level has no mean: its time is not recorded. A part
 * is shown per second of the time that its sum (NULL: none) was measured in a bucket: divided by
 * its own shorter time it could exceed the total.
 */
struct track_values track_values(
	struct track *track, struct track *sum, const struct track_axis *axis, double *values);

#endif

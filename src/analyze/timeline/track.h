/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One value over time, in a bounded number of buckets of equal length. When they are full, each two
 * buckets become one, so weeks take no more memory than seconds. Time without a measurement is a
 * gap, not 0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACK_BUCKETS	  480
#define TRACK_SHORTEST_NS 1000000ull

/* State that all tracks of a timeline share: start, end, and current length of a bucket. */
struct track_axis {
	uint64_t begin_ns, end_ns;
	uint64_t stretch_ns;
};

enum track_kind {
	TRACK_RATE,  /* an amount between two snapshots, shown per second */
	TRACK_COUNT, /* events at moments; shown per second of covered time */
	TRACK_LEVEL, /* a value that holds until the next snapshot; the highest is shown */
};

struct track_bucket {
	double amount;
	uint64_t covered_ns; /* the measured part of the bucket */
};

struct track {
	enum track_kind kind;
	uint64_t stretch_ns;
	double total;	    /* rate or count: the sum of all values */
	double least, last; /* level: lowest and last value */
	bool has_level;
	uint64_t from_ns, to_ns; /* time span of all values */
	uint64_t longest_ns;	 /* longest time that one value covers */
	struct track_bucket stretches[TRACK_BUCKETS];
};

void track_axis_begin(struct track_axis *axis, uint64_t begin_ns);
/* Extends the axis up to `time_ns`. */
void track_axis_reach(struct track_axis *axis, uint64_t time_ns);
/* Returns the number of buckets in use. */
size_t track_axis_count(const struct track_axis *axis);

/* These add values, and may lengthen the buckets; times before the start are ignored. */
void track_rate(struct track *track, struct track_axis *axis, uint64_t from_ns, uint64_t to_ns,
	double amount);
void track_level(struct track *track, struct track_axis *axis, uint64_t from_ns, uint64_t to_ns,
	double level);
void track_count(struct track *track, struct track_axis *axis, uint64_t at_ns, double amount);
/* Marks a time as covered. A count has only gaps outside covered time. */
void track_cover(struct track *track, struct track_axis *axis, uint64_t from_ns, uint64_t to_ns);

struct track_values {
	double least, mean, most, last;
	bool has_any;
};

/* Marks `sum` as covered where its `part` is covered. */
void track_cover_part(struct track *sum, struct track *part, const struct track_axis *axis);

/*
 * Writes track_axis_count() values, NaN for a gap. A level has no mean: its time is not recorded. A
 * rate is divided by the time in which its `sum` (NULL: none) was measured in the bucket: divided
 * by its own shorter time, it could exceed the sum.
 */
struct track_values track_values(
	struct track *track, struct track *sum, const struct track_axis *axis, double *values);

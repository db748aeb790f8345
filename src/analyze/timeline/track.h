/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One value over time, in a fixed number of stretches of the same length. When time outgrows them
 * two become one, so that weeks take no more memory than seconds. Where nothing was measured there
 * is a gap, which is no 0.
 */
#ifndef SOOTH_ANALYZE_TRACK_H
#define SOOTH_ANALYZE_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACK_BUCKETS	  480
#define TRACK_SHORTEST_NS 1000000ull

/* What all lanes of a timeline share: when it begins, and how long a stretch is by now. */
struct track_axis {
	uint64_t begin_ns, end_ns;
	uint64_t stretch_ns;
};

enum track_kind {
	TRACK_RATE,  /* an amount between two readings; told a second */
	TRACK_COUNT, /* what happens at moments; told a second of the time it was looked for */
	TRACK_LEVEL, /* a state, held until the next reading; told as the highest */
};

struct track_bucket {
	double amount;
	uint64_t covered_ns; /* how much of it was measured */
};

struct lane {
	enum track_kind kind;
	uint64_t stretch_ns;
	double total;	    /* of a rate or count: everything that was put */
	double least, last; /* of a level */
	bool has_level;
	uint64_t from_ns, to_ns; /* of what was put */
	uint64_t longest_ns;	 /* the longest time that one value was put for */
	struct track_bucket stretches[TRACK_BUCKETS];
};

void track_axis_begin(struct track_axis *axis, uint64_t begin_ns);
/* Time went on until then. */
void track_axis_reach(struct track_axis *axis, uint64_t time_ns);
/* How many stretches the time so far takes. */
size_t track_axis_count(const struct track_axis *axis);

/* All may lengthen the stretches; what lies before the beginning is left out. */
void track_rate(struct lane *lane, struct track_axis *axis, uint64_t from_ns, uint64_t to_ns,
	double amount);
void track_level(
	struct lane *lane, struct track_axis *axis, uint64_t from_ns, uint64_t to_ns, double level);
void track_count(struct lane *lane, struct track_axis *axis, uint64_t at_ns, double amount);
/* That it was looked for: without it a count has only gaps. */
void track_cover(struct lane *lane, struct track_axis *axis, uint64_t from_ns, uint64_t to_ns);

struct track_values {
	double least, mean, most, last;
	bool has_any;
};

/* The sum was measured wherever this part of it was. */
void track_cover_part(struct lane *sum, struct lane *part, const struct track_axis *axis);

/*
 * track_axis_count() values, NaN where there is none. A level has no mean: its time is not told.
 * A part is told a second of the time that its sum (NULL: it has none) was measured in a stretch:
 * divided by its own shorter time it would be more than all together.
 */
struct track_values track_values(
	struct lane *lane, struct lane *sum, const struct track_axis *axis, double *values);

#endif

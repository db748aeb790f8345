/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One value over time, in a fixed number of stretches of the same length. When time outgrows them
 * two become one, so that weeks take no more memory than seconds. Where nothing was measured there
 * is a gap, which is no 0.
 */
#ifndef SOOTH_ANALYZE_LANE_H
#define SOOTH_ANALYZE_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LANE_STRETCHES	 480
#define LANE_SHORTEST_NS 1000000ull

/* What all lanes of a timeline share: when it begins, and how long a stretch is by now. */
struct lane_axis {
	uint64_t begin_ns, end_ns;
	uint64_t stretch_ns;
};

enum lane_kind {
	LANE_RATE,  /* an amount between two readings; told a second */
	LANE_COUNT, /* what happens at moments; told a second of the time it was looked for */
	LANE_LEVEL, /* a state, held until the next reading; told as the highest */
};

struct lane_stretch {
	double amount;
	uint64_t covered_ns; /* how much of it was measured */
};

struct lane {
	enum lane_kind kind;
	uint64_t stretch_ns;
	double total;	    /* of a rate or count: everything that was put */
	double least, last; /* of a level */
	bool has_level;
	uint64_t from_ns, to_ns; /* of what was put */
	uint64_t longest_ns;	 /* the longest time that one value was put for */
	struct lane_stretch stretches[LANE_STRETCHES];
};

void lane_axis_begin(struct lane_axis *axis, uint64_t begin_ns);
/* Time went on until then. */
void lane_axis_reach(struct lane_axis *axis, uint64_t time_ns);
/* How many stretches the time so far takes. */
size_t lane_axis_count(const struct lane_axis *axis);

/* All may lengthen the stretches; what lies before the beginning is left out. */
void lane_rate(
	struct lane *lane, struct lane_axis *axis, uint64_t from_ns, uint64_t to_ns, double amount);
void lane_level(
	struct lane *lane, struct lane_axis *axis, uint64_t from_ns, uint64_t to_ns, double level);
void lane_count(struct lane *lane, struct lane_axis *axis, uint64_t at_ns, double amount);
/* That it was looked for: without it a count has only gaps. */
void lane_cover(struct lane *lane, struct lane_axis *axis, uint64_t from_ns, uint64_t to_ns);

struct lane_figures {
	double least, mean, most, last;
	bool has_any;
};

/* The sum was measured wherever this part of it was. */
void lane_cover_part(struct lane *sum, struct lane *part, const struct lane_axis *axis);

/*
 * lane_axis_count() values, NaN where there is none. A level has no mean: its time is not told.
 * A part is told a second of the time that its sum (NULL: it has none) was measured in a stretch:
 * divided by its own shorter time it would be more than all together.
 */
struct lane_figures lane_values(
	struct lane *lane, struct lane *sum, const struct lane_axis *axis, double *values);

#endif

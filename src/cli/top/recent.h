/* SPDX-License-Identifier: BSD-2-Clause */
/* The last values of something that is measured once a frame. */
#pragma once

#include <math.h>
#include <stddef.h>
#include <string.h>

#define RECENT_MAX 512 /* 17 minutes at 2 s */

struct recent {
	float values[RECENT_MAX]; /* a ring; not a number: not measured */
	unsigned end;		  /* index of the next value */
	unsigned count;
};

static inline void recent_add(struct recent *s, double value)
{
	s->values[s->end] = (float)value;
	s->end = (s->end + 1) % RECENT_MAX;
	s->count += s->count < RECENT_MAX;
}

/* Returns the value `ago` frames before the last one; NAN: none. */
static inline double recent_at(const struct recent *s, unsigned ago)
{
	if (ago >= s->count)
		return (double)NAN;
	return (double)s->values[(s->end + RECENT_MAX - 1 - ago) % RECENT_MAX];
}

static inline double recent_last(const struct recent *s)
{
	return recent_at(s, 0);
}

/* Returns the highest of the last `count` values; 0 if there is none. */
static inline double recent_most(const struct recent *s, unsigned count)
{
	double most = 0;

	for (unsigned i = 0; i < count && i < s->count; i++) {
		double v = recent_at(s, i);

		if (v > most)
			most = v;
	}
	return most;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Growth of memory that is worth a report with low severity, although a start, a cache or garbage
 * could explain it. Needs the options of memory-growth.
 */
#ifndef SOOTH_ANALYZE_MEMORY_CLIMB_H
#define SOOTH_ANALYZE_MEMORY_CLIMB_H

#include "analyze/evidence/memory_gain.h"
#include "analyze/evidence/memory_trend.h"

#define MEMORY_COLLECTORS                                                                          \
	(1u << MAPS_JAVASCRIPTCORE | 1u << MAPS_V8 | 1u << MAPS_GO | 1u << MAPS_JAVA)

bool memory_has_collector(const struct memory_gain *m);
bool memory_climbs(
	const struct check *e, const struct memory_trend *j, const struct memory_gain *m);
/* The same for a gain below the option's minimum. */
bool memory_climbs_slowly(
	const struct check *e, const struct memory_trend *j, const struct memory_gain *m);

#endif

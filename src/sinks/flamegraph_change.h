/* SPDX-License-Identifier: BSD-2-Clause */
/* The color of a compared frame: the change as a share of the larger value. */
#ifndef SOOTH_SINKS_FLAMEGRAPH_CHANGE_H
#define SOOTH_SINKS_FLAMEGRAPH_CHANGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define FLAMEGRAPH_CHANGES 9

static const struct {
	const char *class_, *words;
} flamegraph_changes[FLAMEGRAPH_CHANGES] = {
	{ "less4", "gone, or nearly" },
	{ "less3", "half or less" },
	{ "less2", "less by a quarter" },
	{ "less1", "a little less" },
	{ "same", "the same, or noise" },
	{ "more1", "a little more" },
	{ "more2", "more by a third" },
	{ "more3", "double or more" },
	{ "more4", "new, or nearly" },
};

/* As in flamegraph.js. */
static inline void flamegraph_change_class(
	char out[32], uint64_t before, uint64_t after, bool differs)
{
	double larger = (double)(before > after ? before : after);
	double change = larger > 0 ? ((double)after - (double)before) / larger : 0;
	double size = change < 0 ? -change : change;
	int level = size > 0.9 ? 4 : size >= 0.5 ? 3 : size >= 0.25 ? 2 : 1;

	if (!differs || !(size > 0))
		snprintf(out, 32, "same");
	else
		snprintf(out, 32, "%s%d", change < 0 ? "less" : "more", level);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* See bars.h. */
#include "base/bars.h"

#include <math.h>

#define LEVELS 8 /* the first level shows only the value 0 */

static const char *const blocks[LEVELS] = { "\u2581", "\u2582", "\u2583", "\u2584", "\u2585",
	"\u2586", "\u2587", "\u2588" };
static const char *const signs[LEVELS] = { "_", ".", ":", "-", "=", "+", "*", "#" };

double bars_top(const double *values, size_t count)
{
	double top = NAN;

	for (size_t i = 0; i < count; i++) {
		if (!isnan(values[i]) && !(values[i] <= top))
			top = values[i];
	}
	return top;
}

/* Returns the level of a value: a value above 0 has at least level 1. */
static unsigned level_of(double value, double top)
{
	double share;

	if (!(value > 0) || !(top > 0))
		return 0;
	share = value < top ? value / top : 1;
	return 1 + (unsigned)(share * (LEVELS - 1) - 1e-9);
}

void bars_format(struct buffer *out, const double *values, size_t count, size_t cells, double top,
	bool is_utf8)
{
	const char *const *characters = is_utf8 ? blocks : signs;

	if (cells > count)
		cells = count;
	for (size_t i = 0; i < cells; i++) {
		size_t from = count * i / cells, to = count * (i + 1) / cells;
		double value = bars_top(values + from, to - from);

		buffer_string(out, isnan(value) ? " " : characters[level_of(value, top)]);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values as a row of characters of different height: "▁▃▇█", or "_.+#" if only ASCII may be
 * written. A blank is a gap; the lowest character stands for 0 only.
 */
#ifndef SOOTH_BASE_BARS_H
#define SOOTH_BASE_BARS_H

#include <stdbool.h>

#include "base/buffer.h"

/*
 * `cells` characters, from 0 to `top`; more values than cells: the highest of those that share
 * one; fewer: as many cells as values. NaN is a gap, what is below 0 counts as 0. A top that is
 * not above 0 has only gaps and zeros below it.
 */
void bars_format(struct buffer *out, const double *values, size_t count, size_t cells, double top,
	bool is_utf8);
/* Returns the highest value; NaN: there are only gaps. */
double bars_top(const double *values, size_t count);

#endif

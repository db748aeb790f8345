/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values as a row of characters of different height: "▁▃▇█", or "_.+#" if only ASCII may be
 * written. A blank is a gap; the lowest character stands for 0 only.
 */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"

/* Appends `values` as `cells` characters, scaled from 0 to `top`. If there are more values than
 * cells, each cell shows the highest of its values; if there are fewer, each value has a cell. NaN
 * is a gap, a value below 0 counts as 0. If `top` is not above 0, all values appear as 0. */
void bars_format(struct buffer *out, const double *values, size_t count, size_t cells, double top,
	bool is_utf8);
/* Returns the highest value; NaN: there are only gaps. */
double bars_top(const double *values, size_t count);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing SVG, for the sinks that draw. Whatever is a text came from a target: it is made
 * harmless as for a terminal, shortened, and escaped for XML, in that order. Figures are written
 * with a point whatever the locale.
 */
#ifndef SOOTH_SINKS_SVG_H
#define SOOTH_SINKS_SVG_H

#include "base/buffer.h"

#define SVG_COLUMN_PX 7.25 /* what a character of it takes at most in a monospace font */
#define SVG_NAME_MAX  240  /* bytes of a text that are written; what is longer is cut */

struct svg_box {
	double x, y, width, height;
};

/* With at most two digits behind the point, and none that say nothing: "12.5", "3". */
void svg_number(struct buffer *out, double value);
/* Without control characters, not yet escaped for any format; at most SVG_NAME_MAX bytes, a
 * longer one ends in "…". */
void svg_plain(struct buffer *out, const char *text, size_t size);
/*
 * As much of a plain text as stands in so many columns, "…" for the rest: of a path its end, else
 * its beginning. Characters outside ASCII are taken for two. Nothing when fewer than three fit.
 * Escaped for XML.
 */
void svg_fitted(struct buffer *out, const char *plain, size_t size, double columns);
/* A plain text, whole. */
void svg_escaped(struct buffer *out, const char *plain, size_t size);
/* <rect x="…" y="…" width="…" height="…"/> */
void svg_rect(struct buffer *out, const struct svg_box *box);
/* <text x="…" y="…" class="…">…</text>, of a plain text; nothing when nothing of it fits. */
void svg_text(struct buffer *out, double x, double y, const char *class_, const char *plain,
	size_t size, double width);

#endif

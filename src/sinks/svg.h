/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing SVG, for the sinks that draw: shapes, and the frame around every picture. Whatever is a
 * text came from a target: it is made harmless as for a terminal, shortened, and escaped for XML,
 * in that order. Figures are written with a point whatever the locale.
 */
#ifndef SOOTH_SINKS_SVG_H
#define SOOTH_SINKS_SVG_H

#include "base/buffer.h"

#define PICTURE_WIDTH  1200
#define PICTURE_MARGIN 12
#define PICTURE_LINE   18 /* of the head and the foot */
#define PICTURE_HEAD   64 /* where the picture itself begins */

struct picture {
	const char *title, *subtitle; /* plain (svg_plain) */
	const char *kind;	      /* "flamegraph": a class of the root */
	double height;		      /* of all */
	const char *script;	      /* of this kind of picture, after picture.js */
};

/* Files of src/sinks, each ended by NUL. */
extern const char picture_css[], picture_js[];

void picture_begin(struct buffer *out, const struct picture *p);
/* A line for each line of a plain text; returns where the next would stand. */
double picture_notes(struct buffer *out, double y, const char *lines);
/* How much height these lines take. */
double picture_notes_height(const char *lines);
void picture_data_begin(struct buffer *out);
void picture_data_end(struct buffer *out);
void picture_end(struct buffer *out, const struct picture *p);
#define SVG_NAME_MAX 240 /* bytes of a text that are written; what is longer is cut */

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

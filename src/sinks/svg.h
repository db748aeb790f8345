/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing SVG, for the sinks that draw: shapes, and the parts that all pictures share. Text comes
 * from targets: control characters are removed, then it is shortened, then escaped for XML. Numbers
 * have a decimal point in every locale.
 */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"

#define PICTURE_WIDTH  1200
#define PICTURE_MARGIN 12
#define PICTURE_LINE   18 /* height of a line of the head and the foot */
#define PICTURE_HEAD   64 /* height of the head */

struct picture {
	const char *title, *subtitle; /* plain (svg_plain) */
	const char *kind;	      /* "flamegraph": a class of the root */
	double height;		      /* height of the whole picture */
	const char *script;	      /* script of this kind of picture, after picture.js */
	bool is_inline;		      /* inside a page, which has the styles and scripts */
};

/* Files of src/sinks, each ended by NUL. */
extern const char picture_css[], picture_js[];

void picture_begin(struct buffer *out, const struct picture *p);
/* Writes each line of a plain text; returns the y of the next line. */
double picture_notes(struct buffer *out, double y, const char *lines);
/* Returns the height of these lines. */
double picture_notes_height(const char *lines);
void picture_data_begin(struct buffer *out);
void picture_data_end(struct buffer *out);
void picture_end(struct buffer *out, const struct picture *p);
#define SVG_NAME_MAX 240 /* most bytes of a text; longer texts are cut */

struct svg_box {
	double x, y, width, height;
};

/* Appends a number with at most two decimals, without trailing zeros: "12.5", "3". */
void svg_number(struct buffer *out, double value);
/* Appends a text without control characters, not yet escaped; at most SVG_NAME_MAX bytes, a longer
 * one ends in "…". */
void svg_plain(struct buffer *out, const char *text, size_t size);
/*
 * Appends as much of a plain text as fits into `columns`, "…" for the rest: the end of a path, the
 * beginning of other texts. Characters outside ASCII count as two. Nothing if fewer than three
 * fit. Escaped for XML.
 */
void svg_fitted(struct buffer *out, const char *plain, size_t size, double columns);
/* Appends a whole plain text, escaped. */
void svg_escaped(struct buffer *out, const char *plain, size_t size);
/* Writes <rect x="…" y="…" width="…" height="…"/>. */
void svg_rect(struct buffer *out, const struct svg_box *box);
/* Writes <text x="…" y="…" class="…">…</text> with a plain text; nothing if none of it fits. */
void svg_text(struct buffer *out, double x, double y, const char *class_, const char *plain,
	size_t size, double width);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame of every picture: one SVG file that needs nothing beside it. It is a whole picture
 * without any script, at a width of PICTURE_WIDTH, for viewers that run none; in a browser the
 * scripts take over, draw it again for the width that there is, and make it answer.
 *
 *   picture_begin()  root, style, title and lines below it
 *   ...              the sink's own shapes, between PICTURE_MARGIN and PICTURE_WIDTH - it
 *   picture_notes()  lines at the foot
 *   picture_data()   what the script draws from: the caller writes JSON in between
 *   picture_end()    the scripts
 *
 * Texts in JSON go through svg_plain() and json_string(), which escapes <, > and & too.
 */
#ifndef SOOTH_SINKS_PICTURE_H
#define SOOTH_SINKS_PICTURE_H

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

#endif

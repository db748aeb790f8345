/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame in memory: cells with a character and a style. Drawing knows nothing of terminals, and a
 * test reads a frame as text. No control character gets into a cell, whatever a target is
 * called. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "cli/top/style.h"

struct canvas_cell {
	uint32_t c; /* 0: right half of the wide character in the previous cell */
	uint8_t style, attributes;
};

struct canvas {
	struct canvas_cell *cells; /* rows * columns */
	int columns, rows;
	bool is_utf8;	 /* cells take any character; otherwise only ASCII */
	bool has_failed; /* no memory: nothing is drawn */
};

/* A part of a canvas. */
struct canvas_area {
	int y, x, rows, columns;
};

/* Resizes and clears a canvas. */
void canvas_resize(struct canvas *c, int columns, int rows);
void canvas_fini(struct canvas *c);
void canvas_clear(struct canvas *c);

/* Puts text into at most `room` columns from x; a mark in the last column shows a cut. Draws
 * nothing outside of the canvas. Returns the columns used. */
int canvas_put(struct canvas *c, int y, int x, int room, unsigned style, const char *text);
/* Puts a text at the right edge of the room. */
int canvas_put_right(struct canvas *c, int y, int x, int room, unsigned style, const char *text);
int canvas_format(struct canvas *c, int y, int x, int room, unsigned style, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
/* Puts one character: `ascii` where only ASCII is shown, else `utf8`. */
void canvas_char(struct canvas *c, int y, int x, unsigned style, uint32_t utf8, char ascii);
/* Adds attributes to the existing cells. */
void canvas_mark(struct canvas *c, int y, int x, int columns, unsigned attributes);
void canvas_blank(struct canvas *c, struct canvas_area area, unsigned style);
/* Draws a box with a title; returns the area inside. */
struct canvas_area canvas_box(struct canvas *c, struct canvas_area area, const char *title);

/* Returns how many columns a text takes. */
int canvas_width(const struct canvas *c, const char *text);

/* Puts a text in rows of whole words into an area, cut at its end. Returns the rows used. */
int canvas_put_words(struct canvas *c, struct canvas_area area, unsigned style, const char *text);

/* Appends the characters, one line per row, without trailing blanks. */
void canvas_text(const struct canvas *c, struct buffer *out);

/* Combines a style and attributes for a parameter `style` above. */
#define TOP_STYLED(style, attributes) ((unsigned)(style) | (unsigned)(attributes) << 8)

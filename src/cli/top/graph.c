/* SPDX-License-Identifier: BSD-2-Clause */
/* Graphs. */
#include "cli/top/graph.h"

#include <math.h>

#define BRAILLE	     0x2800
#define BLOCK	     0x2580 /* character before the block of one eighth */
#define BRAILLE_ROWS 4
#define BLOCK_STEPS  8
#define ZOOM_LEAST   0.2 /* share of the highest value: smaller changes do not fill the height */
#define ZOOM_BELOW   0.2 /* share of the change that is kept free below the lowest value */

const struct graph_scale graph_percent = {
	.top = 100, .at = { 40, 70, 90 }, .styles = { TOP_LOW, TOP_MIDDLE, TOP_HIGH, TOP_HIGH }
};
/* Work is no fault: a finding says if it is one. */
const struct graph_scale graph_cpu = {
	.top = 100, .at = { 40, 70, 90 }, .styles = { TOP_LOW, TOP_LOW, TOP_TEXT, TOP_TEXT }
};
const struct graph_scale graph_memory = { .at = { 1e300, 1e300, 1e300 },
	.styles = { TOP_MEMORY, TOP_MEMORY, TOP_MEMORY, TOP_MEMORY } };
const struct graph_scale graph_received = { .at = { 1e300, 1e300, 1e300 },
	.styles = { TOP_RECEIVED, TOP_RECEIVED, TOP_RECEIVED, TOP_RECEIVED } };
const struct graph_scale graph_sent = { .at = { 1e300, 1e300, 1e300 },
	.styles = { TOP_SENT, TOP_SENT, TOP_SENT, TOP_SENT } };

const char *graph_form_name(size_t index)
{
	static const char *const names[GRAPH_FORMS] = {
		[GRAPH_BRAILLE] = "braille", [GRAPH_BLOCK] = "block", [GRAPH_ASCII] = "ascii"
	};

	return index < GRAPH_FORMS ? names[index] : NULL;
}

uint8_t graph_style(const struct graph_scale *scale, double value)
{
	unsigned i = 0;

	while (i < 3 && value >= scale->at[i])
		i++;
	return scale->styles[i];
}

struct graph {
	const struct recent *s;
	const struct graph_scale *scale;
	double top;
	enum graph_form form;
};

/* Returns how many of `steps` are full for a value. */
static int height_of(const struct graph *g, double value, int steps)
{
	double top = g->top - g->scale->bottom;
	int height;

	value -= g->scale->bottom;
	if (!(value > 0) || !(top > 0))
		return 0;
	height = value >= top ? steps : (int)(value / top * steps + 0.5);
	return height ? height : 1;
}

static int clamp_height(int height, int below, int most)
{
	height -= below;
	return height < 0 ? 0 : height > most ? most : height;
}

/* Returns the dots of a cell, by how many of its left and right half are full from below. */
static uint32_t braille_of(int left, int right)
{
	static const uint8_t lefts[] = { 0, 0x40, 0x44, 0x46, 0x47 };
	static const uint8_t rights[] = { 0, 0x80, 0xa0, 0xb0, 0xb8 };

	return BRAILLE | lefts[left] | rights[right];
}

static char ascii_of(int height, int steps)
{
	static const char steps_of[] = " .:-=+*#@";

	return steps_of[height * 8 / steps];
}

/* Returns the style of a row. Each row of a high graph has the color of its own height, so that a
 * peak and a plateau differ. */
static uint8_t row_style(const struct graph *g, double value, int full, int all)
{
	double level = g->scale->bottom + (g->top - g->scale->bottom) * full / all;

	return graph_style(g->scale, level < value ? level : value);
}

static void put_column(struct canvas *c, struct canvas_area a, const struct graph *g, int column)
{
	int steps = g->form == GRAPH_BRAILLE ? BRAILLE_ROWS : BLOCK_STEPS;
	unsigned ago = (unsigned)(a.columns - 1 - column) * (g->form == GRAPH_BRAILLE ? 2 : 1);
	double right = recent_at(g->s, ago), left = recent_at(g->s, ago + 1);
	double shown = g->form == GRAPH_BRAILLE && left > right ? left : right;
	int right_height = height_of(g, right, steps * a.rows);
	int left_height = height_of(g, left, steps * a.rows);

	for (int row = 0; row < a.rows; row++) {
		int below = (a.rows - 1 - row) * steps;
		uint8_t style = row_style(g, shown, below + steps, steps * a.rows);
		int l = clamp_height(left_height, below, steps),
		    r = clamp_height(right_height, below, steps);

		if (g->form == GRAPH_BRAILLE && (l || r))
			canvas_char(c, a.y + row, a.x + column, style, braille_of(l, r), '#');
		else if (g->form == GRAPH_BLOCK && r)
			canvas_char(c, a.y + row, a.x + column, style, BLOCK + (uint32_t)r, '#');
		else if (g->form == GRAPH_ASCII && r)
			canvas_char(c, a.y + row, a.x + column, style,
				(unsigned char)ascii_of(r, steps), ascii_of(r, steps));
	}
}

void graph_zoom(struct graph_scale *scale, const struct recent *s, int columns)
{
	double least = INFINITY, most = 0, span;

	for (unsigned i = 0; columns > 0 && i < (unsigned)columns * 2 && i < s->count; i++) {
		double v = recent_at(s, i);

		least = v < least ? v : least;
		most = v > most ? v : most;
	}
	if (!(most > 0))
		return;
	span = most - least > most * ZOOM_LEAST ? most - least : most * ZOOM_LEAST;
	scale->bottom = least - span * ZOOM_BELOW;
	scale->top = scale->bottom + span * (1 + ZOOM_BELOW);
}

void graph_draw(struct canvas *c, struct canvas_area a, enum graph_form form,
	const struct recent *s, const struct graph_scale *scale)
{
	struct graph g = { s, scale, scale->top, c->is_utf8 ? form : GRAPH_ASCII };
	unsigned shown =
		(unsigned)(a.columns > 0 ? a.columns : 0) * (g.form == GRAPH_BRAILLE ? 2 : 1);

	if (!(g.top > 0))
		g.top = recent_most(s, shown);
	for (int column = 0; column < a.columns; column++)
		put_column(c, a, &g, column);
}

void graph_meter(struct canvas *c, int y, int x, int columns, enum graph_form form, double share,
	unsigned style)
{
	int full = share > 0 ? (int)(share * columns + 0.5) : 0;
	bool is_ascii = form == GRAPH_ASCII || !c->is_utf8;

	for (int i = 0; i < columns; i++) {
		bool is_full = i < full;

		if (is_ascii)
			canvas_char(c, y, x + i, is_full ? style : TOP_FRAME, is_full ? '#' : '.',
				is_full ? '#' : '.');
		else
			canvas_char(c, y, x + i, is_full ? style : TOP_FRAME,
				is_full ? 0x25a0 : 0x25a1, '#');
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Graphs of values over time, and meters: in braille, in blocks, or in ASCII. */
#pragma once

#include "cli/top/canvas.h"
#include "cli/top/recent.h"

enum graph_form {
	GRAPH_BRAILLE, /* two values a column, four steps a row */
	GRAPH_BLOCK,   /* block characters: one value a column, eight steps a row */
	GRAPH_ASCII,
	GRAPH_FORMS,
};

/* The scale of a graph. Values from `at[i]` have the color of `styles[i + 1]`. */
struct graph_scale {
	double bottom; /* value at height 0 */
	double top;    /* value at full height; 0: the highest value shown */
	double at[3];
	uint8_t styles[4];
};

extern const struct graph_scale graph_percent, graph_cpu, graph_memory, graph_received, graph_sent;

/* Choices of an option; NULL after the last. */
const char *graph_form_name(size_t index);
uint8_t graph_style(const struct graph_scale *scale, double value);
/* Sets a scale for the last `columns` of values that makes changes visible; a constant value is a
 * low line. */
void graph_zoom(struct graph_scale *scale, const struct recent *s, int columns);
/* Draws the values, newest at the right edge. A measured value other than 0 is never blank. */
void graph_draw(struct canvas *c, struct canvas_area area, enum graph_form form,
	const struct recent *s, const struct graph_scale *scale);
/* Draws a bar of `columns`, of which `share` (0 to 1) is full. */
void graph_meter(struct canvas *c, int y, int x, int columns, enum graph_form form, double share,
	unsigned style);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows as lines, for sinks and exports of CSV, JSON lines and folded stacks. Whole lines are
 * buffered, and written when there are enough, at the end, or at once in a live stream.
 */
#pragma once

#include <stdio.h>

#include "base/buffer.h"
#include "base/error.h"

struct tabular {
	FILE *stream;
	const char *doing; /* for errors: "write CSV" */
	struct buffer bytes;
	bool has_cell; /* CSV: the line has a cell */
};

void tabular_open(struct tabular *t, FILE *stream, const char *doing);
void tabular_fini(struct tabular *t);
/* Writes all buffered lines. */
int tabular_write(struct tabular *t, struct sooth_error *err);
/* Writes the buffered lines if there are enough. */
int tabular_write_full(struct tabular *t, struct sooth_error *err);
/* Writes all buffered lines, and flushes the stream. */
int tabular_flush(struct tabular *t, struct sooth_error *err);

/* Members of a sink (explain/sink.h) whose state begins with a tabular. */
int tabular_sink_end(void *state, struct sooth_error *err);
void tabular_sink_close(void *state);

/* --- CSV: cells, then the end of the line --- */

/* Writes a cell. A text that begins like a formula gets an apostrophe if `may_be_formula`. */
void tabular_cell(struct tabular *t, const char *text, size_t size, bool may_be_formula);
void tabular_name(struct tabular *t, const char *name);
void tabular_line_end(struct tabular *t);

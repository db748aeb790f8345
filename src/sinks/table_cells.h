/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cells of a text table on a terminal: which columns fit; rows that contain rows, as blocks of
 * lines; and drawn columns: a series as bars over time, a histogram as bars over its slots. The
 * width of a series and the slots of a histogram depend on all rows, so values are kept until the
 * end.
 */
#pragma once

#include <libsmartcols.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "explain/section_columns.h"
#include "explain/sink.h"
#include "model/field.h"

/* Returns whether rows of the schema are printed as blocks: it has a line template, and a visible
 * field with rows. */
bool table_has_blocks(const struct sooth_schema *schema);
void table_block(struct buffer *out, const struct sooth_schema *schema,
	const struct sooth_record *r, const struct sink_options *options);
/* Wraps an escaped line to the width of the terminal, and ends it. `color` NULL: none. */
void table_wrap(struct buffer *line, const char *color, const struct sink_options *options);

/* Replaces arrows ("10.0.0.2:5000→10.0.0.3:443") by "->", in place, if the locale is not UTF-8. */
void table_plain_arrows(struct buffer *text);

/*
 * Leaves out columns that do not fit into `width`: first those named in `spare` (comma-separated;
 * NULL: none), then from the right, never the first. `fields`: of the columns. The headings of the
 * left-out columns are added to `names`.
 */
void table_fit(struct libscols_table *table, const struct sooth_field *const *fields, size_t count,
	unsigned width, const char *spare, struct buffer *names);

struct table_bars {
	struct buffer kept;		/* struct of table_cells.c, each followed by its values */
	unsigned first_slot, last_slot; /* first and last slot of all histograms */
	bool has_slots;
};

static inline bool table_bars_draws(const struct sooth_field *f)
{
	return f->type == SOOTH_FIELD_SERIES || f->type == SOOTH_FIELD_HISTOGRAM;
}

/* Keeps a value for its cell; false: out of memory. */
bool table_bars_keep(struct table_bars *b, size_t column, size_t line, const struct sooth_value *v);
/* Draws the kept values; `width`: of the terminal, 0: none. All series share one scale unless
 * `has_own_scales`. */
bool table_bars_draw(struct table_bars *b, struct libscols_table *table,
	const struct sooth_field *const *fields, unsigned width, bool has_own_scales);
/* Writes the meaning of the histogram characters, and resets for the next table. */
void table_bars_legend(struct table_bars *b, struct libscols_table *table,
	const struct sooth_field *const *fields, struct buffer *out);
void table_bars_fini(struct table_bars *b);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cells of a text table on a terminal: which columns fit its width, a row with rows inside as a
 * block of lines, and columns that are drawn: a series as bars over time, a histogram as bars over
 * its slots. How wide a series may be, and which slots a histogram needs, is known when all rows
 * are there: until then values are kept.
 */
#ifndef SOOTH_SINKS_TABLE_CELLS_H
#define SOOTH_SINKS_TABLE_CELLS_H

#include <libsmartcols.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "explain/section_columns.h"
#include "explain/sink.h"
#include "model/field.h"

/* Whether its rows are printed as blocks: it has a line template and rows that are not hidden. */
bool table_has_blocks(const struct sooth_schema *schema);
void table_block(struct buffer *out, const struct sooth_schema *schema,
	const struct sooth_record *r, const struct sink_options *options);
/* Breaks an escaped line where the terminal ends, and ends it. `color` NULL: none. */
void table_wrap(struct buffer *line, const char *color, const struct sink_options *options);
/* The color of a value by the levels of its field; NULL: none. */
const char *table_level_color(const struct sooth_field *f, const struct sooth_value *v);

/* Where it is not UTF-8, arrows ("10.0.0.2:5000→10.0.0.3:443") become "->", in place. */
void table_plain_arrows(struct buffer *text);

/*
 * `fields` are those of the columns. `spare` names them in the order in which they are left
 * out, with commas between (NULL: none); then comes whatever stands to the right, and never the
 * first. The headings of those left out are added to `names`.
 */
void table_fit(struct libscols_table *table, const struct sooth_field *const *fields, size_t count,
	unsigned width, const char *spare, struct buffer *names);

struct table_bars {
	struct buffer kept; /* struct of table_cells.c, each with its values behind it */
	unsigned first_slot, last_slot; /* of all histograms */
	bool has_slots;
};

static inline bool table_bars_draws(const struct sooth_field *f)
{
	return f->type == SOOTH_FIELD_SERIES || f->type == SOOTH_FIELD_HISTOGRAM;
}

/* Keeps a value for its cell; false without memory. */
bool table_bars_keep(struct table_bars *b, size_t column, size_t line, const struct sooth_value *v);
/* Draws what was kept; `width` is that of the terminal, 0: none. Values over time have one scale
 * unless each has its own. */
bool table_bars_draw(struct table_bars *b, struct libscols_table *table,
	const struct sooth_field *const *fields, unsigned width, bool has_own_scales);
/* Writes the meaning of the characters of the shown histograms; then the next table may come. */
void table_bars_legend(struct table_bars *b, struct libscols_table *table,
	const struct sooth_field *const *fields, struct buffer *out);
void table_bars_fini(struct table_bars *b);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Columns of a table that are drawn: a series as bars over time, a histogram as bars over its
 * slots. How wide a series may be, and which slots a histogram needs, is known when all rows are
 * there: until then values are kept.
 */
#ifndef SOOTH_SINKS_TABLE_BARS_H
#define SOOTH_SINKS_TABLE_BARS_H

#include <libsmartcols.h>

#include "base/buffer.h"
#include "model/field.h"

#define SINK_COLUMNS_MAX 96

struct table_bars {
	struct buffer kept;		/* struct of table_bars.c, each with its values behind it */
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
/* What the characters of histograms that are shown stand for; and the next table may come. */
void table_bars_legend(struct table_bars *b, struct libscols_table *table,
	const struct sooth_field *const *fields, struct buffer *out);
void table_bars_fini(struct table_bars *b);

#endif

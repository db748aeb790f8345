/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A row with rows inside, for people: its line, and below it, further in, the lines of what
 * it holds. A long line is broken between words where the terminal ends.
 */
#ifndef SOOTH_SINKS_TABLE_BLOCK_H
#define SOOTH_SINKS_TABLE_BLOCK_H

#include "explain/sink.h"

/* Whether its rows are printed as blocks: it has a line template and rows that are not hidden. */
bool table_has_blocks(const struct sooth_schema *schema);
void table_block(struct buffer *out, const struct sooth_schema *schema,
	const struct sooth_record *r, const struct sink_options *options);
/* Breaks an escaped line where the terminal ends, and ends it. `color` NULL: none. */
void table_wrap(struct buffer *line, const char *color, const struct sink_options *options);
/* Of a value by the levels of its field; NULL: none. */
const char *table_level_color(const struct sooth_field *f, const struct sooth_value *v);

#endif

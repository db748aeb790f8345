/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows as HTML, for the sink that writes a page: cells of tables, lines, blocks of nested rows.
 * Texts come from targets: they are cut, and escaped for a terminal and for HTML.
 */
#pragma once

#include "base/buffer.h"
#include "explain/section_columns.h"
#include "explain/sink.h"
#include "model/field.h"

struct html_columns {
	const struct sooth_field *fields[SECTION_COLUMNS_MAX];
	size_t count;
	const struct sooth_field *depth, *tree, *alarm, *below; /* as in struct section */
	unsigned reasons; /* a bit for each enum sooth_reason of a "?" */
};

/* Appends an escaped text; a long one is cut, and says so. */
void html_text(struct buffer *out, const char *text, size_t size);
/* Appends text that has no markup of its own: for constants and names of sooth. */
void html_string(struct buffer *out, const char *text);

/* Finds the columns of a table. */
void html_columns_find(struct html_columns *c, const struct section *section);
void html_table_head(struct buffer *out, const struct html_columns *c);
void html_table_row(struct buffer *out, struct html_columns *c, const struct sooth_record *r);
/* Writes a row with a line template, with the rows in it; nothing if the line is empty. */
void html_block(struct buffer *out, const struct section *section, const struct sooth_record *r);
/* Writes the meaning of each "?". */
void html_reasons(struct buffer *out, unsigned reasons);

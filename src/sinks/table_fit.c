/* SPDX-License-Identifier: BSD-2-Clause */
/* See table_fit.h. */
#include "sinks/table_fit.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/cleanup.h"

#define TEXT_MAX 512 /* characters of a cell that are measured; no terminal is wider */

/* In columns of the terminal. What it cannot say is counted by bytes: that is never too few. */
static size_t text_width(const char *text)
{
	wchar_t wide[TEXT_MAX];
	size_t size;
	int width;

	if (!text || !*text)
		return 0;
	size = mbstowcs(wide, text, TEXT_MAX);
	width = size == (size_t)-1 ? -1 : wcswidth(wide, size < TEXT_MAX ? size : TEXT_MAX);

	return width < 0 ? strlen(text) : (size_t)width;
}

static const char *heading(struct libscols_column *column)
{
	const char *text = scols_cell_get_data(scols_column_get_header(column));

	return text ? text : "";
}

/* By an iterator: scols_table_get_line() walks from the first line each time. */
static void free_iter(struct libscols_iter **iter)
{
	scols_free_iter(*iter);
}

/* Lines of a tree take two columns a level and are in no cell. */
static size_t tree_width(struct libscols_table *table, size_t n)
{
	_cleanup_(free_iter) struct libscols_iter *lines = NULL;
	struct libscols_line *line;
	size_t deepest = 0;

	if (!scols_column_is_tree(scols_table_get_column(table, n)))
		return 0;
	lines = scols_new_iter(SCOLS_ITER_FORWARD);
	while (lines && !scols_table_next_line(table, lines, &line)) {
		size_t depth = 0;

		while ((line = scols_line_get_parent(line)))
			depth++;
		deepest = depth > deepest ? depth : deepest;
	}
	return 2 * deepest;
}

/* `least`: of a column that may be cut, as much of its widest text as is kept. */
static size_t column_width(struct libscols_table *table, size_t n, size_t least)
{
	struct libscols_column *column = scols_table_get_column(table, n);
	size_t widest = text_width(heading(column));
	_cleanup_(free_iter) struct libscols_iter *lines = NULL;
	struct libscols_line *line;

	if (scols_column_is_trunc(column) && least <= widest)
		return widest;
	lines = scols_new_iter(SCOLS_ITER_FORWARD);
	while (lines && !scols_table_next_line(table, lines, &line)) {
		size_t width = text_width(scols_cell_get_data(scols_line_get_cell(line, n)));

		if (width > widest)
			widest = width;
	}
	if (scols_column_is_trunc(column) && widest > least)
		widest = least;
	return widest + tree_width(table, n);
}

size_t table_column_width(struct libscols_table *table, size_t n)
{
	return column_width(table, n, 0);
}

static bool is_hidden(struct libscols_table *table, size_t n)
{
	return scols_column_is_hidden(scols_table_get_column(table, n));
}

static size_t named(const struct sooth_field *const *fields, size_t count, const char **spare)
{
	size_t size = strcspn(*spare, ","), n = 0;

	while (n < count &&
		(strlen(fields[n]->name) != size || strncmp(fields[n]->name, *spare, size)))
		n++;
	*spare += size + ((*spare)[size] == ',');
	return n;
}

/* The next one to go; `count` when only the first is left. */
static size_t next_to_go(struct libscols_table *table, const struct sooth_field *const *fields,
	size_t count, const char **spare)
{
	while (*spare && **spare) {
		size_t n = named(fields, count, spare);

		if (n && n < count && !is_hidden(table, n))
			return n;
	}
	for (size_t n = count; n-- > 1;) {
		if (!is_hidden(table, n))
			return n;
	}
	return count;
}

/* The names in a tree are cut only when its lines alone take half the width. */
static void keep_tree(struct libscols_table *table, size_t count, unsigned width)
{
	for (size_t n = 0; n < count; n++) {
		struct libscols_column *column = scols_table_get_column(table, n);

		if (scols_column_is_tree(column) && tree_width(table, n) <= width / 2)
			scols_column_set_flags(
				column, scols_column_get_flags(column) & ~SCOLS_FL_TRUNC);
	}
}

void table_fit(struct libscols_table *table, const struct sooth_field *const *fields, size_t count,
	unsigned width, const char *spare, struct buffer *names)
{
	_cleanup_free_ size_t *widths = calloc(count + 1, sizeof(*widths));
	size_t total = 0;

	keep_tree(table, count, width);
	for (size_t n = 0; widths && n < count; n++) {
		size_t least = fields[n]->least_width;

		/* One column never takes more than half of a narrow terminal. */
		widths[n] = column_width(table, n, least < width / 2 ? least : width / 2);
		total += widths[n] + (n > 0);
	}
	while (widths && width && total > width) {
		size_t n = next_to_go(table, fields, count, &spare);
		struct libscols_column *column;

		if (n == count)
			return;
		column = scols_table_get_column(table, n);
		scols_column_set_flags(column, scols_column_get_flags(column) | SCOLS_FL_HIDDEN);
		buffer_format(names, "%s%s", names->size ? ", " : "", heading(column));
		total -= widths[n] + 1;
	}
}

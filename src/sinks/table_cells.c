/* SPDX-License-Identifier: BSD-2-Clause */
#include "sinks/table_cells.h"

#include <langinfo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/bars.h"
#include "base/cleanup.h"
#include "base/escape.h"

/*
 * Fits a table to a narrow terminal: numbers are never cut, so columns are left out until each row
 * fits into one line.
 */

/* --- the locale --- */

/* The characters that the locale can print; the program sets the locale. */

#define ARROW "→"
#define PLAIN "->"

static bool table_is_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

void table_plain_arrows(struct buffer *text)
{
	const size_t wide = strlen(ARROW), plain = strlen(PLAIN);
	size_t to = 0;

	if (!text->size || buffer_failed(text) || table_is_utf8())
		return;
	for (size_t from = 0; from < text->size;) {
		if (text->size - from >= wide && !memcmp(text->data + from, ARROW, wide)) {
			memcpy(text->data + to, PLAIN, plain);
			to += plain;
			from += wide;
		} else {
			text->data[to++] = text->data[from++];
		}
	}
	text->size = to;
}

/* --- widths --- */

#define TEXT_MAX 512 /* characters of a cell that are measured; no terminal is wider */

/* Returns the width in terminal cells; for an unprintable text its bytes, which is never less. */
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

/* Frees an iterator, which reads lines: scols_table_get_line() walks from the first line each time.
 */
static void free_iter(struct libscols_iter **iter)
{
	scols_free_iter(*iter);
}

/* Returns the width of the lines of a tree: two terminal cells a level, beside the text. */
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

/* Returns the width of a column. If it may be cut, at most `least` of its widest text count. */
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

/* Returns the width that a column needs: the width of the heading if the column may be cut. */
static size_t table_column_width(struct libscols_table *table, size_t n)
{
	return column_width(table, n, 0);
}

static bool is_hidden(struct libscols_table *table, size_t n)
{
	return scols_column_is_hidden(scols_table_get_column(table, n));
}

static size_t find_named_field(
	const struct sooth_field *const *fields, size_t count, const char **spare)
{
	size_t size = strcspn(*spare, ","), n = 0;

	while (n < count &&
		(strlen(fields[n]->name) != size || strncmp(fields[n]->name, *spare, size)))
		n++;
	*spare += size + ((*spare)[size] == ',');
	return n;
}

/* Returns the next column to leave out; `count` if only the first is left. */
static size_t next_to_go(struct libscols_table *table, const struct sooth_field *const *fields,
	size_t count, const char **spare)
{
	while (*spare && **spare) {
		size_t n = find_named_field(fields, count, spare);

		if (n && n < count && !is_hidden(table, n))
			return n;
	}
	for (size_t n = count; n-- > 1;) {
		if (!is_hidden(table, n))
			return n;
	}
	return count;
}

/* Keeps the names in a tree whole, unless its lines already take half the width. */
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

/* --- bars --- */

#define CELLS_MOST  60
#define CELLS_LEAST 8
#define SLOTS	    64

struct kept_head {
	size_t column, line, count; /* doubles follow */
};

static void note_slots(struct table_bars *b, const double *values, size_t count)
{
	for (unsigned i = 0; i < count; i++) {
		if (isnan(values[i]))
			continue;
		if (!b->has_slots || i < b->first_slot)
			b->first_slot = i;
		if (!b->has_slots || i > b->last_slot)
			b->last_slot = i;
		b->has_slots = true;
	}
}

/* Sets the values of the bars. An empty slot is blank, because any bar would mean a few events. */
static void histogram_values(const struct sooth_value *v, double values[SLOTS])
{
	for (size_t i = 0; i < v->list.count && i < SLOTS; i++) {
		uint32_t count;

		memcpy(&count, v->list.data + i * sizeof(count), sizeof(count));
		values[i] = count ? count : NAN;
	}
}

bool table_bars_keep(struct table_bars *b, size_t column, size_t line, const struct sooth_value *v)
{
	struct kept_head head = { column, line, v->list.count };
	double values[SLOTS];

	if (v->state != SOOTH_STATE_VALUE)
		return true;
	if (v->type == SOOTH_FIELD_HISTOGRAM) {
		head.count = head.count < SLOTS ? head.count : SLOTS;
		histogram_values(v, values);
		note_slots(b, values, head.count);
	}
	buffer_append(&b->kept, &head, sizeof(head));
	buffer_append(&b->kept,
		v->type == SOOTH_FIELD_HISTOGRAM ? (const void *)values : v->list.data,
		head.count * sizeof(double));
	return !buffer_failed(&b->kept);
}

/* Returns the width that the other columns leave; without a terminal a large one. */
static size_t width_left_for(struct libscols_table *table, unsigned width, size_t column)
{
	size_t used = 0, columns = scols_table_get_ncols(table);

	if (!width)
		return CELLS_MOST;
	for (size_t n = 0; n < columns; n++)
		used += n == column ? 0 : table_column_width(table, n) + 1;
	if (used + CELLS_LEAST > width)
		return CELLS_LEAST;
	return width - used < CELLS_MOST ? width - used : CELLS_MOST;
}

/* Returns the values that follow a kept head. */
static const double *values_behind(
	const struct table_bars *b, size_t at, const struct kept_head *head, struct buffer *values)
{
	buffer_reset(values);
	buffer_append(values, b->kept.data + at + sizeof(*head), head->count * sizeof(double));
	return buffer_at(values, 0);
}

/* Finds the highest value of each column. */
static void find_tops(
	const struct table_bars *b, struct buffer *values, double tops[SECTION_COLUMNS_MAX])
{
	struct kept_head head;

	for (size_t i = 0; i < SECTION_COLUMNS_MAX; i++)
		tops[i] = NAN;
	for (size_t at = 0; at < b->kept.size; at += sizeof(head) + head.count * sizeof(double)) {
		double top;

		memcpy(&head, b->kept.data + at, sizeof(head));
		top = bars_top(values_behind(b, at, &head, values), head.count);
		if (isnan(tops[head.column]) || top > tops[head.column])
			tops[head.column] = top;
	}
}

static void draw_one(struct table_bars *b, const struct sooth_field *f, const double *values,
	size_t count, size_t room, double top, struct buffer *text)
{
	if (f->type == SOOTH_FIELD_SERIES) {
		bars_format(text, values, count, room, isnan(top) ? bars_top(values, count) : top,
			table_is_utf8());
		return;
	}
	if (!b->has_slots || b->last_slot >= count)
		return;
	values += b->first_slot;
	count = b->last_slot - b->first_slot + 1;
	bars_format(text, values, count, count, bars_top(values, count), table_is_utf8());
}

/* Returns line `number`, going on from `line`: values are kept in the order of lines. */
static struct libscols_line *go_to(struct libscols_table *table, struct libscols_iter *lines,
	struct libscols_line *line, size_t number, size_t *at)
{
	for (; *at <= number; ++*at)
		if (scols_table_next_line(table, lines, &line))
			return NULL;
	return line;
}

bool table_bars_draw(struct table_bars *b, struct libscols_table *table,
	const struct sooth_field *const *fields, unsigned width, bool has_own_scales)
{
	struct libscols_iter *lines = b->kept.size ? scols_new_iter(SCOLS_ITER_FORWARD) : NULL;
	struct buffer text = { 0 }, values = { 0 };
	size_t rooms[SECTION_COLUMNS_MAX] = { 0 }, reached = 0;
	struct libscols_line *line = NULL;
	bool is_done = lines || !b->kept.size;
	double tops[SECTION_COLUMNS_MAX];
	struct kept_head head;

	find_tops(b, &values, tops);
	for (size_t at = 0; at < b->kept.size && is_done;
		at += sizeof(head) + head.count * sizeof(double)) {
		memcpy(&head, b->kept.data + at, sizeof(head));
		buffer_reset(&text);
		if (!rooms[head.column])
			rooms[head.column] = width_left_for(table, width, head.column);
		draw_one(b, fields[head.column], values_behind(b, at, &head, &values), head.count,
			rooms[head.column], has_own_scales ? NAN : tops[head.column], &text);
		line = go_to(table, lines, line, head.line, &reached);
		is_done = line && !buffer_failed(&text) && !buffer_failed(&values) &&
			  !scols_line_set_data(line, head.column, buffer_cstr(&text));
	}
	scols_free_iter(lines);
	buffer_fini(&text);
	buffer_fini(&values);
	buffer_reset(&b->kept);
	return is_done;
}

static void add_legend(const struct table_bars *b, const struct sooth_field *f, struct buffer *out)
{
	struct sooth_value low = { .u = 1ull << b->first_slot };
	struct sooth_value high = { .u = 2ull << b->last_slot };
	struct sooth_field number = { .type = SOOTH_FIELD_UNSIGNED, .unit = f->unit };

	buffer_format(out, "%s: log2 histogram, ", f->label ? f->label : f->name);
	value_format(out, &number, &low);
	buffer_string(out, " to ");
	value_format(out, &number, &high);
	buffer_string(out, "\n");
}

void table_bars_legend(struct table_bars *b, struct libscols_table *table,
	const struct sooth_field *const *fields, struct buffer *out)
{
	size_t columns = scols_table_get_ncols(table);

	for (size_t n = 0; n < columns && b->has_slots; n++) {
		if (fields[n]->type == SOOTH_FIELD_HISTOGRAM &&
			!scols_column_is_hidden(scols_table_get_column(table, n)))
			add_legend(b, fields[n], out);
	}
	b->has_slots = false;
}

void table_bars_fini(struct table_bars *b)
{
	buffer_fini(&b->kept);
}

/* --- cells of several lines --- */

/*
 * A row with nested rows, for people: its line, and below it the indented lines of the nested rows.
 * A long line is broken between words at the width of the terminal. Its text is already escaped, so
 * the width is right.
 */

#define INDENT	    2
#define DEPTH_MAX   8
#define WIDTH_LEAST 30 /* a narrower terminal breaks lines by itself */
#define COLOR_OFF   "\033[0m"

static bool is_shown(const struct sooth_field *f)
{
	return f->type == SOOTH_FIELD_ROWS && !f->is_hidden && f->rows->line;
}

bool table_has_blocks(const struct sooth_schema *schema)
{
	bool has_rows = false;

	for (size_t i = 0; i < schema->field_count; i++)
		has_rows |= is_shown(&schema->fields[i]);
	return schema->line && has_rows;
}

/* Returns how much of the text fits, up to a blank if there is one. */
static size_t fitting_bytes(const char *text, size_t size, unsigned room)
{
	size_t at = 0, blank = 0, bytes;
	unsigned used = 0;

	while (at < size) {
		used += terminal_columns(text + at, size - at, &bytes);
		if (used > room)
			break;
		if (text[at] == ' ')
			blank = at;
		at += bytes;
	}
	if (at >= size || text[at] == ' ')
		return at;
	return blank ? blank : at;
}

static void put_line(struct buffer *out, const char *text, size_t size, unsigned indent,
	const struct sink_options *options)
{
	unsigned own = 0;

	while (own < size && text[own] == ' ')
		own++;
	text += own;
	size -= own;
	indent += own;
	for (bool is_first = true; size || is_first; is_first = false) {
		unsigned by = is_first ? indent : indent + INDENT;
		bool breaks = options->width >= by + WIDTH_LEAST;
		size_t part = breaks ? fitting_bytes(text, size, options->width - by) : size;

		if (!part && size)
			part = size;
		buffer_format(out, "%*s", (int)by, "");
		buffer_append(out, text, part);
		buffer_char(out, '\n');
		while (part < size && text[part] == ' ')
			part++;
		text += part;
		size -= part;
	}
}

static void put_block(struct buffer *out, const struct sooth_schema *schema,
	const struct sooth_record *r, unsigned depth, const struct sink_options *options);

static const char *color_of(const struct sooth_schema *schema, const struct sooth_record *r)
{
	const char *color = NULL;

	for (size_t i = 0; i < schema->field_count && !color; i++) {
		struct sooth_value v = sooth_field_get(&schema->fields[i], r);

		color = section_level_color(&schema->fields[i], &v);
	}
	return color;
}

static void put_rows(struct buffer *out, const struct sooth_schema *schema,
	const struct sooth_record *r, unsigned depth, const struct sink_options *options)
{
	for (size_t i = 0; i < schema->field_count && depth < DEPTH_MAX; i++) {
		const struct sooth_field *f = &schema->fields[i];
		struct sooth_value v = sooth_field_get(f, r);
		struct batch rows;

		if (!is_shown(f) || v.state != SOOTH_STATE_VALUE)
			continue;
		rows = field_rows(&v);
		batch_for_each (row, &rows)
			put_block(out, f->rows, row, depth, options);
	}
}

/* Writes the first line of the template, in color, then the nested rows, then its other lines. */
static void put_block(struct buffer *out, const struct sooth_schema *schema,
	const struct sooth_record *r, unsigned depth, const struct sink_options *options)
{
	const char *color = options->use_color ? color_of(schema, r) : NULL;
	struct buffer text = { 0 };
	struct line_plan plan;
	const char *at, *end;

	line_plan(&plan, schema);
	line_format(&text, &plan, r);
	at = buffer_cstr(&text);
	end = at + strcspn(at, "\n");
	buffer_string(out, color ? color : "");
	put_line(out, at, (size_t)(end - at), depth * INDENT, options);
	buffer_string(out, color ? COLOR_OFF : "");
	put_rows(out, schema, r, depth + 1, options);
	while (*end) {
		at = end + 1;
		end = at + strcspn(at, "\n");
		put_line(out, at, (size_t)(end - at), depth * INDENT, options);
	}
	buffer_fini(&text);
}

void table_wrap(struct buffer *line, const char *color, const struct sink_options *options)
{
	struct buffer out = { 0 };

	buffer_string(&out, color ? color : "");
	put_line(&out, (const char *)line->data, line->size, 0, options);
	if (color)
		buffer_string(&out, COLOR_OFF);
	buffer_fini(line);
	*line = out;
}

void table_block(struct buffer *out, const struct sooth_schema *schema,
	const struct sooth_record *r, const struct sink_options *options)
{
	put_block(out, schema, r, 0, options);
}

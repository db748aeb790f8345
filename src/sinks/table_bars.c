/* SPDX-License-Identifier: BSD-2-Clause */
/* See table_bars.h. */
#include "sinks/table_bars.h"

#include <math.h>
#include <string.h>

#include "base/bars.h"
#include "base/cleanup.h"
#include "sinks/table_fit.h"
#include "sinks/table_locale.h"

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

/* A slot without any is blank: there a bar would say that there were few. */
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

/* What the other columns leave; where there is no terminal, plenty. */
static size_t room_of(struct libscols_table *table, unsigned width, size_t column)
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

/* The values behind a head. */
static const double *values_behind(
	const struct table_bars *b, size_t at, const struct kept_head *head, struct buffer *values)
{
	buffer_reset(values);
	buffer_append(values, b->kept.data + at + sizeof(*head), head->count * sizeof(double));
	return buffer_at(values, 0);
}

/* The highest value of each column. */
static void find_tops(
	const struct table_bars *b, struct buffer *values, double tops[SINK_COLUMNS_MAX])
{
	struct kept_head head;

	for (size_t i = 0; i < SINK_COLUMNS_MAX; i++)
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

/* The line of that number; values are kept in the order of lines. */
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
	size_t rooms[SINK_COLUMNS_MAX] = { 0 }, reached = 0;
	struct libscols_line *line = NULL;
	bool is_done = lines || !b->kept.size;
	double tops[SINK_COLUMNS_MAX];
	struct kept_head head;

	find_tops(b, &values, tops);
	for (size_t at = 0; at < b->kept.size && is_done;
		at += sizeof(head) + head.count * sizeof(double)) {
		memcpy(&head, b->kept.data + at, sizeof(head));
		buffer_reset(&text);
		if (!rooms[head.column])
			rooms[head.column] = room_of(table, width, head.column);
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

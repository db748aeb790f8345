/* SPDX-License-Identifier: BSD-2-Clause */
#include "sinks/html_rows.h"

#include <math.h>
#include <string.h>

#include "base/escape.h"
#include "base/json.h"
#include "base/units.h"
#include "model/schema.h"
#include "sinks/json_members.h"
#include "sinks/svg.h"
#include "sinks/table_cells.h"

#define TEXT_MAX       1000 /* bytes of a text; a longer one is cut */
#define LINE_MAX_BYTES 8000
#define LONG_BYTES     300 /* a longer line is folded */
#define LONG_SHOWN     100
#define SPARK_CELLS    60
#define SPARK_HIGH     18
#define DEPTH_MAX      8

/* --- text --- */

static void put_cut(struct buffer *out, const char *text, size_t size, size_t most)
{
	size_t shown = size;

	if (size > most) {
		shown = most;
		while (shown && ((unsigned char)text[shown] & 0xc0) == 0x80)
			shown--;
	}
	escape_xml(out, text, shown);
	if (shown < size)
		buffer_format(out, "… <em>(%zu bytes more)</em>", size - shown);
}

void html_text(struct buffer *out, const char *text, size_t size)
{
	put_cut(out, text, size, TEXT_MAX);
}

void html_string(struct buffer *out, const char *text)
{
	escape_xml(out, text, strlen(text));
}

static void put_attribute(struct buffer *out, const char *name, const char *text)
{
	buffer_format(out, " %s=\"", name);
	html_string(out, text);
	buffer_char(out, '"');
}

/* --- drawn values --- */

static void put_bar(struct buffer *out, double percent)
{
	double share = percent < 0 ? 0 : percent > 100 ? 100 : percent;

	buffer_string(out, "<svg class=\"bar\" viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" "
			   "aria-hidden=\"true\"><rect class=\"of\" width=\"100\" height=\"6\"/>");
	svg_rect(out, &(struct svg_box){ 0, 0, share, 6 });
	buffer_string(out, "</svg>");
}

/* Returns the highest of the values that cell `i` stands for; NaN: none was measured. */
static double spark_value(const struct sooth_value *v, size_t cells, size_t i)
{
	double top = NAN;

	for (size_t k = i * v->list.count / cells; k < (i + 1) * v->list.count / cells; k++)
		top = fmax(top, series_at(v, k));
	return top;
}

/* Draws values as areas; a gap stays empty. */
static void put_spark(struct buffer *out, const struct sooth_value *v, double top)
{
	size_t cells = v->list.count < SPARK_CELLS ? v->list.count : SPARK_CELLS;
	int before = -1; /* height of the cell before; -1: a gap */

	buffer_format(out,
		"<svg class=\"spark\" viewBox=\"0 0 %zu %d\" preserveAspectRatio=\"none\" "
		"aria-hidden=\"true\"><path d=\"",
		cells, SPARK_HIGH);
	for (size_t i = 0; i < cells; i++) {
		double value = spark_value(v, cells, i);
		double share = top > 0 && isfinite(top) && value > 0 ? value / top : 0;
		int high = isnan(value) ? -1 : (int)(SPARK_HIGH * share);

		if (high == before)
			continue;
		if (before >= 0)
			buffer_format(out, "H%zu", i);
		else
			buffer_format(out, "M%zu %d", i, SPARK_HIGH);
		buffer_format(out, "V%d", SPARK_HIGH - (high > 0 ? high : high == 0));
		before = high;
	}
	if (before >= 0)
		buffer_format(out, "H%zuV%d", cells, SPARK_HIGH);
	buffer_string(out, "\"/></svg>");
}

static void put_series(struct buffer *out, const struct sooth_field *f, const struct sooth_value *v)
{
	double top = spark_value(v, 1, 0);

	put_spark(out, v, top);
	if (isnan(top))
		return;
	buffer_string(out, " <small>max ");
	if (f->unit == SOOTH_UNIT_BYTES)
		buffer_string(out, FORMAT_BYTES(rounded_u64(top)));
	else
		buffer_format(out, "%.*f", f->decimals, top);
	buffer_string(out, "</small>");
}

/* Draws the slots from the first to the last with a count. */
static void put_histogram(struct buffer *out, const struct sooth_value *v)
{
	size_t first = 0, count = v->list.count < 64 ? v->list.count : 64;
	uint32_t counts[64];
	double values[64];
	struct sooth_value drawn = { .type = SOOTH_FIELD_SERIES };

	memcpy(counts, v->list.data, count * sizeof(*counts));
	while (count && !counts[count - 1])
		count--;
	while (first < count && !counts[first])
		first++;
	for (size_t i = first; i < count; i++)
		values[i] = counts[i];
	drawn.list.data = (const void *)(values + first);
	drawn.list.count = count - first;
	if (!drawn.list.count)
		return;
	put_spark(out, &drawn, spark_value(&drawn, 1, 0));
	buffer_string(out, " <small>");
	buffer_string(out, FORMAT_NS(first ? 1ull << first : 0));
	buffer_string(out, " to ");
	buffer_string(out, FORMAT_NS(1ull << count));
	buffer_string(out, "</small>");
}

/* --- cells --- */

static bool is_number(const struct sooth_field *f)
{
	return f->type == SOOTH_FIELD_UNSIGNED || f->type == SOOTH_FIELD_SIGNED ||
	       f->type == SOOTH_FIELD_REAL;
}

static void put_raw(struct buffer *out, const struct sooth_field *f, const struct sooth_value *v)
{
	struct json j;

	json_init(&j, out, 0);
	json_value(&j, f, v);
}

/* Writes the value as people read it, and, where scripts sort by it, as JSON has it. */
/* Returns whether a capture has a number there that no order has a place for. */
static bool is_no_number(const struct sooth_field *f, const struct sooth_value *v)
{
	return f->type == SOOTH_FIELD_REAL && !isfinite(v->f);
}

static void put_value(struct buffer *out, const struct sooth_field *f, const struct sooth_value *v)
{
	struct buffer text = { 0 };
	unsigned level = section_level(f, v);

	buffer_format(out, "<td class=\"%s", is_number(f) ? "n" : "t");
	if (level)
		buffer_format(out, " l%u", level);
	if (v->state == SOOTH_STATE_NOT_MEASURED)
		buffer_string(out, " u");
	buffer_char(out, '"');
	if (v->state == SOOTH_STATE_NOT_MEASURED)
		put_attribute(out, "title", sooth_reason_text(v->reason));
	if (is_number(f) && value_is_there(v) && !is_no_number(f, v)) {
		buffer_string(out, " data-v=\"");
		put_raw(out, f, v);
		buffer_char(out, '"');
	}
	buffer_char(out, '>');
	if (f->type == SOOTH_FIELD_HISTOGRAM && value_is_there(v)) {
		put_histogram(out, v);
	} else if (f->type == SOOTH_FIELD_SERIES && value_is_there(v)) {
		put_series(out, f, v);
	} else {
		value_format(&text, f, v);
		html_text(out, (const char *)text.data, text.size);
	}
	if (f->type == SOOTH_FIELD_REAL && f->unit == SOOTH_UNIT_PERCENT && value_is_there(v) &&
		v->f > 0)
		put_bar(out, v->f);
	buffer_string(out, "</td>");
	buffer_fini(&text);
}

/* --- tables --- */

static const struct sooth_field *field_of(const struct section *section, const char *name)
{
	return name ? sooth_schema_field(section->schema, name) : NULL;
}

void html_columns_find(struct html_columns *c, const struct section *section)
{
	*c = (struct html_columns){ .depth = field_of(section, section->depth),
		.tree = field_of(section, section->tree),
		.alarm = field_of(section, section->alarm),
		.below = field_of(section, section->below) };
	c->count = section_columns(section, c->fields);
}

void html_table_head(struct buffer *out, const struct html_columns *c)
{
	char label[FIELD_LABEL_SIZE];

	buffer_format(out,
		"<div class=\"wide\" tabindex=\"0\" role=\"region\" "
		"aria-label=\"table\"><table%s>\n<thead><tr>",
		c->tree ? " class=\"tree\"" : "");
	for (size_t i = 0; i < c->count; i++) {
		field_label(c->fields[i], label);
		buffer_format(
			out, "<th scope=\"col\" class=\"%s\"", is_number(c->fields[i]) ? "n" : "t");
		put_attribute(out, "title", c->fields[i]->help);
		buffer_format(out, " data-key=\"%s\">", c->fields[i]->name);
		html_string(out, label);
		buffer_string(out, "</th>");
	}
	buffer_string(out, "</tr></thead>\n<tbody>\n");
}

static bool is_true(const struct sooth_field *f, const struct sooth_record *r)
{
	struct sooth_value v = { .state = SOOTH_STATE_ABSENT };

	if (f)
		v = sooth_field_get(f, r);
	return v.state == SOOTH_STATE_VALUE && v.u;
}

static void put_below(
	struct buffer *out, const struct html_columns *c, const struct sooth_record *r)
{
	struct buffer text = { 0 };
	struct sooth_value v = { .state = SOOTH_STATE_ABSENT };

	if (c->below)
		v = sooth_field_get(c->below, r);
	if (value_is_there(&v) && v.text.size) {
		value_format(&text, c->below, &v);
		buffer_format(out, "<tr class=\"below\"><td colspan=\"%zu\">", c->count);
		html_text(out, (const char *)text.data, text.size);
		buffer_string(out, "</td></tr>\n");
	}
	buffer_fini(&text);
}

void html_table_row(struct buffer *out, struct html_columns *c, const struct sooth_record *r)
{
	uint64_t depth = 0;

	if (c->depth)
		depth = sooth_field_get(c->depth, r).u;
	buffer_string(out, "<tr");
	if (is_true(c->alarm, r))
		buffer_string(out, " class=\"alarm\"");
	if (depth)
		buffer_format(out, " data-depth=\"%u\"", depth < 12 ? (unsigned)depth : 12);
	buffer_char(out, '>');
	for (size_t i = 0; i < c->count; i++) {
		struct sooth_value v = sooth_field_get(c->fields[i], r);

		if (v.state == SOOTH_STATE_NOT_MEASURED)
			c->reasons |= 1u << v.reason;
		put_value(out, c->fields[i], &v);
	}
	buffer_string(out, "</tr>\n");
	put_below(out, c, r);
}

void html_reasons(struct buffer *out, unsigned reasons)
{
	for (unsigned reason = 1; reason < 32; reason++) {
		if (!(reasons & 1u << reason))
			continue;
		buffer_string(out, "<p class=\"quiet\">? = unknown: ");
		html_string(out, sooth_reason_text((enum sooth_reason)reason));
		buffer_string(out, "</p>\n");
	}
}

/* --- lines, and rows in rows --- */

static unsigned level_of_row(const struct sooth_schema *schema, const struct sooth_record *r)
{
	unsigned level = 0;

	for (size_t i = 0; i < schema->field_count && !level; i++) {
		struct sooth_value v = sooth_field_get(&schema->fields[i], r);

		level = section_level(&schema->fields[i], &v);
	}
	return level;
}

/* Draws the share of evidence, which has its unit as a text. */
static void put_share(
	struct buffer *out, const struct sooth_schema *schema, const struct sooth_record *r)
{
	const struct sooth_field *unit = sooth_schema_field(schema, "unit");
	const struct sooth_field *value = sooth_schema_field(schema, "value");
	struct sooth_value u, v;

	if (!unit || !value || unit->type != SOOTH_FIELD_TEXT || value->type != SOOTH_FIELD_REAL)
		return;
	u = sooth_field_get(unit, r);
	v = sooth_field_get(value, r);
	if (v.state == SOOTH_STATE_VALUE && u.text.size == strlen("percent") &&
		!memcmp(u.text.data, "percent", u.text.size))
		put_bar(out, v.f);
}

static bool is_shown(const struct sooth_field *f)
{
	return f->type == SOOTH_FIELD_ROWS && !f->is_hidden && f->rows->line;
}

static void put_text_line(
	struct buffer *out, const char *element, unsigned level, const char *text, size_t size)
{
	while (size && *text == ' ') {
		text++;
		size--;
	}
	if (!size)
		return;
	buffer_format(out, "<%s class=\"line", element);
	if (level)
		buffer_format(out, " l%u", level);
	buffer_string(out, "\">");
	put_cut(out, text, size, LINE_MAX_BYTES);
	buffer_format(out, "</%s>\n", element);
}

/* Writes the lines below the first; a long one is folded behind its beginning. */
static void put_more_lines(struct buffer *out, const char *text)
{
	while (*text) {
		const char *at = text + 1 + strspn(text + 1, " ");
		size_t size = strcspn(at, "\n"), blank = LONG_SHOWN;

		if (size > LONG_BYTES) {
			while (blank && at[blank] != ' ')
				blank--;
			buffer_string(out, "<details><summary>");
			escape_xml(out, at, blank);
			buffer_string(out, " …</summary>");
		}
		put_text_line(out, "p", 0, at, size);
		if (size > LONG_BYTES)
			buffer_string(out, "</details>\n");
		text = at + size;
	}
}

static void put_block(struct buffer *out, const struct sooth_schema *schema,
	const struct sooth_record *r, unsigned depth, unsigned level);

static void put_nested(struct buffer *out, const struct sooth_schema *schema,
	const struct sooth_record *r, unsigned depth)
{
	for (size_t i = 0; i < schema->field_count && depth < DEPTH_MAX; i++) {
		const struct sooth_field *f = &schema->fields[i];
		struct sooth_value v = sooth_field_get(f, r);
		struct batch rows;

		if (!is_shown(f) || v.state != SOOTH_STATE_VALUE)
			continue;
		rows = field_rows(&v);
		batch_for_each (row, &rows)
			put_block(out, f->rows, row, depth, level_of_row(f->rows, row));
	}
}

static void put_block(struct buffer *out, const struct sooth_schema *schema,
	const struct sooth_record *r, unsigned depth, unsigned level)
{
	bool is_block = table_has_blocks(schema);
	char element[4] = "p";
	struct buffer text = { 0 };
	struct line_plan plan;
	const char *line, *end;

	line_plan(&plan, schema);
	line_format(&text, &plan, r);
	line = buffer_cstr(&text);
	end = line + strcspn(line, "\n");
	if (is_block) {
		snprintf(element, sizeof(element), "h%u", depth < 3 ? depth + 3 : 6);
		buffer_format(out, "<article class=\"d%u\">\n", depth);
	}
	if (!is_block && depth)
		buffer_string(out, "<div class=\"proof\">");
	put_text_line(out, element, level, line, (size_t)(end - line));
	put_share(out, schema, r);
	if (!is_block && depth)
		buffer_string(out, "</div>");
	put_nested(out, schema, r, depth + 1);
	put_more_lines(out, end);
	if (is_block)
		buffer_string(out, "</article>\n");
	buffer_fini(&text);
}

void html_block(struct buffer *out, const struct section *section, const struct sooth_record *r)
{
	const struct sooth_field *color = field_of(section, section->color);
	struct sooth_value v;
	unsigned level = level_of_row(section->schema, r);

	if (color) {
		v = sooth_field_get(color, r);
		level = section_level(color, &v);
	}
	put_block(out, section->schema, r, 0, level);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* See table_block.h. A line's text is escaped, so what is broken here is what is shown. */
#include "sinks/table_block.h"

#include <string.h>
#include <wchar.h>

#define INDENT	    2
#define DEPTH_MAX   8
#define WIDTH_LEAST 30 /* a narrower terminal breaks lines by itself */
#define COLOR_OFF   "\033[0m"

const char *table_level_color(const struct sooth_field *f, const struct sooth_value *v)
{
	static const char *const colors[SOOTH_FIELD_LEVELS] = { "\033[33m", "\033[35m",
		"\033[1;31m" };
	double value = f->type == SOOTH_FIELD_REAL ? v->f : (double)v->u;
	const char *color = NULL;

	if (!f->levels || v->state != SOOTH_STATE_VALUE)
		return NULL;
	for (size_t i = 0; i < SOOTH_FIELD_LEVELS && value >= f->levels[i]; i++)
		color = colors[i];
	return color;
}

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

/* How many columns a character takes, and how many bytes it has. */
static unsigned char_width(const char *at, size_t size, size_t *bytes)
{
	mbstate_t state = { 0 };
	wchar_t c;
	size_t n = mbrtowc(&c, at, size, &state);
	int width;

	*bytes = n && n <= size ? n : 1;
	width = n && n <= size ? wcwidth(c) : 1;
	return width > 0 ? (unsigned)width : 0;
}

/* How much of the text fits; up to a blank where there is one. */
static size_t fitting(const char *text, size_t size, unsigned room)
{
	size_t at = 0, blank = 0, bytes;
	unsigned used = 0;

	while (at < size) {
		used += char_width(text + at, size - at, &bytes);
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
		size_t part = breaks ? fitting(text, size, options->width - by) : size;

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

		color = table_level_color(&schema->fields[i], &v);
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

/* The first line of the template, which has the color, the rows inside, the other lines. */
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

/* SPDX-License-Identifier: BSD-2-Clause */
/* Pieces of SVG; see svg.h. */
#include "sinks/svg.h"

#include <string.h>

#include "base/escape.h"

#define ELLIPSIS      "…"
#define COLUMNS_MIN   3 /* less says nothing */
#define NUMBER_MAX    1e12
#define CHARACTER_MAX 4 /* bytes */

void svg_number(struct buffer *out, double value)
{
	uint64_t hundredths;

	if (value < 0) {
		buffer_char(out, '-');
		value = -value;
	}
	if (!(value < NUMBER_MAX))
		value = 0;
	hundredths = (uint64_t)(value * 100 + 0.5);
	buffer_u64(out, hundredths / 100);
	if (!(hundredths % 100))
		return;
	buffer_char(out, '.');
	buffer_char(out, (char)('0' + hundredths % 100 / 10));
	if (hundredths % 10)
		buffer_char(out, (char)('0' + hundredths % 10));
}

/* How much of a text that ends before `most` is whole characters. */
static size_t whole_characters(const char *text, size_t size, size_t most)
{
	size_t at = 0;

	while (at < size) {
		size_t length = utf8_length(text + at, size - at);

		length = length ? length : 1;
		if (at + length > most)
			break;
		at += length;
	}
	return at;
}

void svg_plain(struct buffer *out, const char *text, size_t size)
{
	size_t from = out->size, length;

	/* An escape is longer than what it stands for: no need to look at all of 10 KB. */
	escape_terminal(out, text, whole_characters(text, size, SVG_NAME_MAX + CHARACTER_MAX));
	if (buffer_failed(out) || out->size - from <= SVG_NAME_MAX)
		return;
	length = whole_characters(
		(const char *)out->data + from, out->size - from, SVG_NAME_MAX - strlen(ELLIPSIS));
	out->size = from + length;
	buffer_string(out, ELLIPSIS);
}

void svg_escaped(struct buffer *out, const char *plain, size_t size)
{
	escape_xml(out, plain, size);
}

static double columns_of(size_t length)
{
	return length > 1 ? 2 : 1;
}

static double all_columns(const char *text, size_t size)
{
	double columns = 0;

	for (size_t at = 0, length; at < size; at += length) {
		length = utf8_length(text + at, size - at);
		length = length ? length : 1;
		columns += columns_of(length);
	}
	return columns;
}

/* Where the end begins that fits. */
static size_t skip_to_fit(const char *text, size_t size, double columns)
{
	double left = all_columns(text, size);
	size_t at = 0;

	while (at < size && left > columns) {
		size_t length = utf8_length(text + at, size - at);

		length = length ? length : 1;
		left -= columns_of(length);
		at += length;
	}
	return at;
}

static size_t take_to_fit(const char *text, size_t size, double columns)
{
	double taken = 0;
	size_t at = 0;

	while (at < size) {
		size_t length = utf8_length(text + at, size - at);

		length = length ? length : 1;
		taken += columns_of(length);
		if (taken > columns)
			break;
		at += length;
	}
	return at;
}

void svg_fitted(struct buffer *out, const char *plain, size_t size, double columns)
{
	size_t at;

	if (columns < COLUMNS_MIN)
		return;
	if (all_columns(plain, size) <= columns) {
		svg_escaped(out, plain, size);
	} else if (*plain == '/') {
		at = skip_to_fit(plain, size, columns - 1);
		buffer_string(out, ELLIPSIS);
		svg_escaped(out, plain + at, size - at);
	} else {
		svg_escaped(out, plain, take_to_fit(plain, size, columns - 1));
		buffer_string(out, ELLIPSIS);
	}
}

static void attribute(struct buffer *out, const char *name, double value)
{
	buffer_char(out, ' ');
	buffer_string(out, name);
	buffer_string(out, "=\"");
	svg_number(out, value);
	buffer_char(out, '"');
}

void svg_rect(struct buffer *out, const struct svg_box *box)
{
	buffer_string(out, "<rect");
	attribute(out, "x", box->x);
	attribute(out, "y", box->y);
	attribute(out, "width", box->width);
	attribute(out, "height", box->height);
	buffer_string(out, "/>");
}

void svg_text(struct buffer *out, double x, double y, const char *class_, const char *plain,
	size_t size, double width)
{
	double columns = width / SVG_COLUMN_PX;

	if (!size || columns < COLUMNS_MIN)
		return;
	buffer_string(out, "<text");
	attribute(out, "x", x);
	attribute(out, "y", y);
	if (class_)
		buffer_format(out, " class=\"%s\"", class_);
	buffer_char(out, '>');
	svg_fitted(out, plain, size, columns);
	buffer_string(out, "</text>");
}

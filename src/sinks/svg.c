/* SPDX-License-Identifier: BSD-2-Clause */
#include "sinks/svg.h"

#include <string.h>

#include "base/escape.h"

#define SVG_COLUMN_PX 7.25 /* maximum width of a character in a monospace font */

/* --- elements --- */

#define ELLIPSIS      "…"
#define COLUMNS_MIN   3 /* a shorter text is useless */
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

/* Returns the bytes of the character at `at`; 1 for invalid UTF-8. */
static size_t character_bytes(const char *text, size_t size, size_t at)
{
	size_t length = utf8_length(text + at, size - at);

	return length ? length : 1;
}

/* Returns the bytes of the whole characters that fit into `most` bytes. */
static size_t whole_characters(const char *text, size_t size, size_t most)
{
	size_t at = 0;

	while (at < size && at + character_bytes(text, size, at) <= most)
		at += character_bytes(text, size, at);
	return at;
}

void svg_plain(struct buffer *out, const char *text, size_t size)
{
	size_t from = out->size, length;

	/* Escaping only makes a text longer, so the beginning is enough. */
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

static double count_columns(const char *text, size_t size)
{
	double columns = 0;

	for (size_t at = 0, length; at < size; at += length) {
		length = character_bytes(text, size, at);
		columns += columns_of(length);
	}
	return columns;
}

/* Returns where the longest fitting end of a text begins. */
static size_t skip_to_fit(const char *text, size_t size, double columns)
{
	double left = count_columns(text, size);
	size_t at = 0;

	for (size_t length; at < size && left > columns; at += length) {
		length = character_bytes(text, size, at);
		left -= columns_of(length);
	}
	return at;
}

static size_t bytes_that_fit(const char *text, size_t size, double columns)
{
	size_t at = 0;

	for (size_t length; at < size; at += length) {
		length = character_bytes(text, size, at);
		columns -= columns_of(length);
		if (columns < 0)
			break;
	}
	return at;
}

void svg_fitted(struct buffer *out, const char *plain, size_t size, double columns)
{
	size_t at;

	if (columns < COLUMNS_MIN)
		return;
	if (count_columns(plain, size) <= columns) {
		svg_escaped(out, plain, size);
	} else if (*plain == '/') {
		at = skip_to_fit(plain, size, columns - 1);
		buffer_string(out, ELLIPSIS);
		svg_escaped(out, plain + at, size - at);
	} else {
		svg_escaped(out, plain, bytes_that_fit(plain, size, columns - 1));
		buffer_string(out, ELLIPSIS);
	}
}

static void put_attribute(struct buffer *out, const char *name, double value)
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
	put_attribute(out, "x", box->x);
	put_attribute(out, "y", box->y);
	put_attribute(out, "width", box->width);
	put_attribute(out, "height", box->height);
	buffer_string(out, "/>");
}

void svg_text(struct buffer *out, double x, double y, const char *class_, const char *plain,
	size_t size, double width)
{
	double columns = width / SVG_COLUMN_PX;

	if (!size || columns < COLUMNS_MIN)
		return;
	buffer_string(out, "<text");
	put_attribute(out, "x", x);
	put_attribute(out, "y", y);
	if (class_)
		buffer_format(out, " class=\"%s\"", class_);
	buffer_char(out, '>');
	svg_fitted(out, plain, size, columns);
	buffer_string(out, "</text>");
}

/* --- the frame of a picture --- */

/*
 * The frame of every picture: one SVG file that needs no other file. Viewers without scripts show
 * the static picture, which is PICTURE_WIDTH wide. In a browser the scripts draw it again for the
 * width of the window, and make it interactive.
 *
 *   picture_begin()  root, style, title and lines below it
 *   ...              the sink's own shapes, between PICTURE_MARGIN and PICTURE_WIDTH - it
 *   picture_notes()  lines at the foot
 *   picture_data()   what the script draws from: the caller writes JSON in between
 *   picture_end()    the scripts
 *
 * Texts in JSON go through svg_plain() and json_chars(), which escapes <, > and & too.
 */

#define TITLE_Y	     26
#define SUBTITLE_Y   46
#define LINE_COLUMNS ((size_t)((PICTURE_WIDTH - 2 * PICTURE_MARGIN) / SVG_COLUMN_PX))

static void put_embedded(struct buffer *out, const char *element, const char *text)
{
	buffer_format(out, "<%s><![CDATA[\n", element);
	buffer_string(out, text);
	buffer_format(out, "]]></%s>\n", element);
}

/* Writes a line, cut to the width. A browser shows the whole line, because it can break lines. */
static void put_line(
	struct buffer *out, double y, const char *class_, const char *plain, size_t size)
{
	buffer_format(out, "<text x=\"%d\" y=\"", PICTURE_MARGIN);
	svg_number(out, y);
	buffer_format(out, "\" class=\"%s\"", class_);
	if (size > LINE_COLUMNS) {
		buffer_string(out, " data-whole=\"");
		svg_escaped(out, plain, size);
		buffer_char(out, '"');
	}
	buffer_char(out, '>');
	svg_fitted(out, plain, size, LINE_COLUMNS);
	buffer_string(out, "</text>\n");
}

void picture_begin(struct buffer *out, const struct picture *p)
{
	buffer_string(out, p->is_inline ? "<svg class=\"sooth "
					: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
					  "<svg xmlns=\"http://www.w3.org/2000/svg\" "
					  "class=\"sooth ");
	buffer_string(out, p->kind);
	buffer_format(out, "\" lang=\"en\" width=\"%d\" height=\"", PICTURE_WIDTH);
	svg_number(out, p->height);
	buffer_format(out, "\" viewBox=\"0 0 %d ", PICTURE_WIDTH);
	svg_number(out, p->height);
	buffer_string(out, "\">\n<title>");
	svg_escaped(out, p->title, strlen(p->title));
	buffer_string(out, "</title>\n<desc>");
	svg_escaped(out, p->subtitle, strlen(p->subtitle));
	buffer_string(out, "</desc>\n");
	if (!p->is_inline)
		put_embedded(out, "style", picture_css);
	buffer_string(out, "<g id=\"head\">\n");
	put_line(out, TITLE_Y, "title", p->title, strlen(p->title));
	put_line(out, SUBTITLE_Y, "note", p->subtitle, strlen(p->subtitle));
	buffer_string(out, "</g>\n");
}

double picture_notes(struct buffer *out, double y, const char *lines)
{
	buffer_string(out, "<g id=\"notes\">\n");
	while (*lines) {
		size_t size = strcspn(lines, "\n");

		y += PICTURE_LINE;
		put_line(out, y, "note", lines, size);
		lines += size + (lines[size] == '\n');
	}
	buffer_string(out, "</g>\n");
	return y;
}

double picture_notes_height(const char *lines)
{
	double height = 0;

	while (*lines) {
		height += PICTURE_LINE;
		lines += strcspn(lines, "\n");
		lines += *lines == '\n';
	}
	return height;
}

void picture_data_begin(struct buffer *out)
{
	/* A browser does not run this data, because it knows no script of this type. */
	buffer_string(out, "<script type=\"application/json\" id=\"data\">");
}

void picture_data_end(struct buffer *out)
{
	buffer_string(out, "</script>\n");
}

void picture_end(struct buffer *out, const struct picture *p)
{
	if (!p->is_inline) {
		put_embedded(out, "script", picture_js);
		buffer_format(out, "<script><![CDATA[\n%s", p->script);
		buffer_format(out,
			"const picture = make_picture(document.documentElement);\n"
			"draw_%s(picture);\n]]></script>\n",
			p->kind);
	}
	buffer_string(out, "</svg>\n");
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Cells of a frame. */
#include "cli/top/canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/screen/text_width.h"

#define ELLIPSIS  0x2026
#define TEXT_SIZE 1024

/* --- the whole --- */

void canvas_resize(struct canvas *c, int columns, int rows)
{
	columns = columns > 0 ? columns : 0;
	rows = rows > 0 ? rows : 0;
	if (columns != c->columns || rows != c->rows || !c->cells) {
		free(c->cells);
		c->cells = calloc((size_t)columns * (size_t)rows + 1, sizeof(*c->cells));
		c->has_failed = !c->cells;
		c->columns = c->has_failed ? 0 : columns;
		c->rows = c->has_failed ? 0 : rows;
	}
	canvas_clear(c);
}

void canvas_fini(struct canvas *c)
{
	free(c->cells);
	*c = (struct canvas){ .is_utf8 = c->is_utf8 };
}

void canvas_clear(struct canvas *c)
{
	for (int i = 0; i < c->columns * c->rows; i++)
		c->cells[i] = (struct canvas_cell){ .c = ' ' };
}

static struct canvas_cell *cell_at(struct canvas *c, int y, int x)
{
	if (y < 0 || x < 0 || y >= c->rows || x >= c->columns)
		return NULL;
	return &c->cells[y * c->columns + x];
}

/* --- characters --- */

int canvas_width(const struct canvas *c, const char *text)
{
	return text_width(c->is_utf8, text);
}

static void set_cell(struct canvas *c, int y, int x, unsigned style, uint32_t character)
{
	struct canvas_cell *cell = cell_at(c, y, x), *before = cell_at(c, y, x - 1);

	if (!cell)
		return;
	/* Half of a wide character is replaced by a blank. */
	if (!cell->c && before)
		before->c = ' ';
	*cell = (struct canvas_cell){ character, (uint8_t)style, (uint8_t)(style >> 8) };
	if (x + 1 < c->columns && !cell[1].c)
		cell[1].c = ' ';
}

void canvas_char(struct canvas *c, int y, int x, unsigned style, uint32_t utf8, char ascii)
{
	set_cell(c, y, x, style, c->is_utf8 ? utf8 : (unsigned char)ascii);
}

int canvas_put(struct canvas *c, int y, int x, int room, unsigned style, const char *text)
{
	size_t size = strlen(text), used;
	int at_column = 0;
	bool is_cut;

	if (x + room > c->columns)
		room = c->columns - x;
	if (room <= 0)
		return 0;
	is_cut = canvas_width(c, text) > room;
	for (size_t at = 0; at < size; at += used) {
		uint32_t character = text_decode(text + at, size - at, &used);
		int width = text_char_width(c->is_utf8, &character);

		if (!width)
			continue;
		if (at_column + width > room - is_cut)
			break;
		set_cell(c, y, x + at_column, style, character);
		if (width == 2 && cell_at(c, y, x + at_column + 1))
			*cell_at(c, y, x + at_column + 1) =
				(struct canvas_cell){ 0, (uint8_t)style, (uint8_t)(style >> 8) };
		at_column += width;
	}
	if (is_cut)
		canvas_char(c, y, x + at_column++, style, ELLIPSIS, '>');
	return at_column;
}

int canvas_put_right(struct canvas *c, int y, int x, int room, unsigned style, const char *text)
{
	int width = canvas_width(c, text);

	if (width < room) {
		x += room - width;
		room = width;
	}
	return canvas_put(c, y, x, room, style, text);
}

int canvas_format(struct canvas *c, int y, int x, int room, unsigned style, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return canvas_put(c, y, x, room, style, text);
}

void canvas_mark(struct canvas *c, int y, int x, int columns, unsigned attributes)
{
	for (int i = 0; i < columns; i++) {
		struct canvas_cell *cell = cell_at(c, y, x + i);

		if (cell)
			cell->attributes |= (uint8_t)attributes;
	}
}

void canvas_blank(struct canvas *c, struct canvas_area area, unsigned style)
{
	for (int y = 0; y < area.rows; y++) {
		for (int x = 0; x < area.columns; x++)
			set_cell(c, area.y + y, area.x + x, style, ' ');
	}
}

/* --- frames --- */

struct canvas_area canvas_box(struct canvas *c, struct canvas_area a, const char *title)
{
	int right = a.x + a.columns - 1, bottom = a.y + a.rows - 1;

	canvas_blank(c, a, TOP_TEXT);
	for (int x = a.x + 1; x < right; x++) {
		canvas_char(c, a.y, x, TOP_FRAME, 0x2500, '-');
		canvas_char(c, bottom, x, TOP_FRAME, 0x2500, '-');
	}
	for (int y = a.y + 1; y < bottom; y++) {
		canvas_char(c, y, a.x, TOP_FRAME, 0x2502, '|');
		canvas_char(c, y, right, TOP_FRAME, 0x2502, '|');
	}
	canvas_char(c, a.y, a.x, TOP_FRAME, 0x256d, '+');
	canvas_char(c, a.y, right, TOP_FRAME, 0x256e, '+');
	canvas_char(c, bottom, a.x, TOP_FRAME, 0x2570, '+');
	canvas_char(c, bottom, right, TOP_FRAME, 0x256f, '+');
	if (title && *title && a.columns > 6) {
		int used = canvas_put(
			c, a.y, a.x + 2, a.columns - 4, TOP_STYLED(TOP_TITLE, TOP_BOLD), " ");

		used += canvas_put(c, a.y, a.x + 2 + used, a.columns - 5 - used,
			TOP_STYLED(TOP_TITLE, TOP_BOLD), title);
		canvas_put(c, a.y, a.x + 2 + used, 1, TOP_TITLE, " ");
	}
	return (struct canvas_area){ a.y + 1, a.x + 1, a.rows > 2 ? a.rows - 2 : 0,
		a.columns > 2 ? a.columns - 2 : 0 };
}

/* --- words --- */

int canvas_put_words(struct canvas *c, struct canvas_area area, unsigned style, const char *text)
{
	int y = 0;

	for (; y + 1 < area.rows && canvas_width(c, text) > area.columns; y++) {
		size_t used = text_row_of_words(c->is_utf8, text, strlen(text), area.columns);

		canvas_format(c, area.y + y, area.x, area.columns, style, "%.*s", (int)used, text);
		for (text += used; *text == ' ';)
			text++;
	}
	if (y < area.rows && *text)
		canvas_put(c, area.y + y++, area.x, area.columns, style, text);
	return y;
}

/* --- as text --- */

void canvas_text(const struct canvas *c, struct buffer *out)
{
	for (int y = 0; y < c->rows; y++) {
		const struct canvas_cell *row = c->cells + y * c->columns;
		int last = c->columns;

		while (last && row[last - 1].c == ' ')
			last--;
		for (int x = 0; x < last; x++) {
			if (row[x].c)
				utf8_append(out, row[x].c);
		}
		buffer_char(out, '\n');
	}
}

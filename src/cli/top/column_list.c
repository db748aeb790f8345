/* SPDX-License-Identifier: BSD-2-Clause */
/* Choosing columns. The list below shows each choice at once. */
#include "cli/top/column_list.h"

#include <stdio.h>
#include <string.h>

#include "cli/top/columns.h"

#define COLUMNS 62

void top_column_list_open(struct top *t)
{
	t->mode = TOP_CHOOSES_COLUMNS;
}

/* Writes the names of columns: "pid,agent,for"; "" for all. */
static void names_of(uint32_t columns, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; columns != top_columns_all() && i < top_column_count && used < size;
		i++) {
		if (columns >> i & 1)
			used += (size_t)snprintf(out + used, size - used, "%s%s", used ? "," : "",
				top_columns[i].name);
	}
}

static void save_columns(struct top *t)
{
	char names[256];
	struct sooth_error err;

	t->mode = TOP_LIST;
	names_of(t->columns, names, sizeof(names));
	if (!t->options.keep)
		top_say(t, "these columns stay until the end: there is no settings file here");
	else if (t->options.keep("columns", names[0] ? names : NULL, &err))
		top_say(t, "not kept: cannot %s: %s", err.tried, err.why);
	else
		top_say(t, "kept in top.conf: columns = %s", names[0] ? names : "all");
}

static void toggle_column(struct top *t)
{
	uint32_t to = t->columns ^ 1u << t->column_at;

	if (to)
		t->columns = to;
	else
		top_say(t, "one column has to stay");
}

void top_column_list_handle_key(struct top *t, int key)
{
	unsigned last = (unsigned)top_column_count - 1;

	if (key == TOP_KEY_DOWN || key == 'j')
		t->column_at += t->column_at < last;
	else if (key == TOP_KEY_UP || key == 'k')
		t->column_at -= t->column_at > 0;
	else if (key == TOP_KEY_HOME || key == 'g')
		t->column_at = 0;
	else if (key == TOP_KEY_END || key == 'G')
		t->column_at = last;
	else if (key == ' ')
		toggle_column(t);
	else if (key == '*')
		t->columns = top_columns_all();
	else if (key == TOP_KEY_ENTER || key == '\r')
		save_columns(t);
	else if (key == TOP_KEY_ESCAPE || key == 'q' || key == 'o' || key == TOP_KEY_LEFT)
		t->mode = TOP_LIST;
	else
		top_say(t, "Space shows or hides it, Enter keeps the choice, Escape ends the list");
}

/* Puts the line of a column. A hidden column is dim; a shown one that has no room now says so. */
static void put_column(struct top *t, size_t i, int y, int x, int room, bool has_room)
{
	bool is_on = t->columns >> i & 1;
	unsigned style = !is_on ? TOP_DIM : has_room ? TOP_TEXT : TOP_MIDDLE;

	canvas_format(&t->canvas, y, x, room, style, "[%c] %-13s %s%s", is_on ? 'x' : ' ',
		top_columns[i].name, top_columns[i].help, is_on && !has_room ? " (no room)" : "");
}

void top_column_list_draw(struct top *t)
{
	struct canvas *c = &t->canvas;
	int rows = (int)top_column_count + 3, columns = c->columns < COLUMNS ? c->columns : COLUMNS;
	int widths[TOP_COLUMNS_MAX];
	struct canvas_area in;
	size_t first = 0;

	rows = rows < c->rows ? rows : c->rows;
	if (rows < 4 || columns < 8)
		return;
	top_columns_fit(t, c->columns, widths);
	in = canvas_box(c,
		(struct canvas_area){
			(c->rows - rows) / 2, (c->columns - columns) / 2, rows, columns },
		"columns");
	rows = in.rows - 1;
	first = t->column_at >= (unsigned)rows ? t->column_at - (unsigned)rows + 1 : 0;
	for (size_t i = first; i < top_column_count && i < first + (size_t)rows; i++) {
		int y = in.y + (int)(i - first);

		put_column(t, i, y, in.x + 1, in.columns - 2, widths[i] > 0);
		if (i == t->column_at)
			canvas_mark(c, y, in.x, in.columns, TOP_PICKED);
	}
	canvas_put(c, in.y + rows, in.x + 1, in.columns - 2, TOP_DIM,
		"Space shows or hides  * all  Enter keeps in top.conf  Escape");
}

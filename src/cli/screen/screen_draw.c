/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drawing a screen: the report's lines, one table, and a line of help. ncurses sends only
 * differences, so nothing flickers. Cells are escaped before they get here; wide ones are cut, and
 * nothing wraps.
 */
#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/screen/screen_colors.h"
#include "cli/screen/screen_state.h"
#include "cli/screen/text_width.h"
#include "model/batch.h"

#define WIDTH_SHRUNK 40 /* a text is cut to this width before other columns are dropped */
#define TREE_INDENT  2
#define GUTTER	     2 /* the mark of a row, and a blank */
#define LINES_MAX    4 /* above the table */
#define FIRST_ROW    2
#define MARGIN	     2
#define KEYS	     42 /* columns, where there are two */
#define TWO_FROM     80 /* columns of a terminal */
#define LINE_SIZE    256

/* --- help pages of the keys, as many as the terminal needs --- */

static const struct {
	const char *keys, *what;
} lines[] = {
	{ "up, down, page up, page down, home, end", "select a row" },
	{ "left, right", "other columns" },
	{ "s, S", "sort by next, previous column" },
	{ "r", "reverse" },
	{ "/, escape", "filter by text; show all" },
	{ "t, enter", "tree; fold the rows below" },
	{ "tab", "next table" },
	{ "space", "pause display" },
	{ "in a pane: up, down, page up, down, g, G", "scroll" },
	{ "in a pane: r; q, escape", "run again; back to the table" },
	{ "q, Ctrl-C", "end" },
	{ "rows", "+ new, * changed role or verdict, - gone" },
};

/* The keys of this screen come first; empty: no more. */
static void line_at(const struct screen *s, size_t i, char keys[LINE_SIZE], char what[LINE_SIZE])
{
	const struct screen_key *own = s->options.keys;
	size_t count = 0;

	while (own && own[count].key)
		count++;
	keys[0] = what[0] = '\0';
	if (i < count) {
		snprintf(keys, LINE_SIZE, "%c", own[i].key);
		snprintf(what, LINE_SIZE, "%s the selected one: sooth", own[i].help);
		for (const char *const *word = own[i].command; *word; word++)
			snprintf(what + strlen(what), LINE_SIZE - strlen(what), " %s", *word);
	} else if (i - count < ARRAY_SIZE(lines)) {
		snprintf(keys, LINE_SIZE, "%s", lines[i - count].keys);
		snprintf(what, LINE_SIZE, "%s", lines[i - count].what);
	}
}

/* The rows it takes; y below 0: nothing is drawn. */
static int put_line(int y, int rows, const char *keys, const char *what)
{
	char both[2 * LINE_SIZE + 2];
	struct screen_place place = { y, MARGIN, COLS - MARGIN, rows };

	if (COLS < TWO_FROM) {
		snprintf(both, sizeof(both), "%s: %s", keys, what);
		return screen_wrap(place, both);
	}
	if (y >= 0)
		screen_put(y, MARGIN, KEYS, keys);
	place.x += KEYS;
	place.room -= KEYS;
	return screen_wrap(place, what);
}

static void clear_rows(void)
{
	for (int y = 1; y < LINES - 1; y++) {
		move(y, 0);
		clrtoeol();
	}
}

/* Over the rows: the requested page of help. */
static void screen_help(struct screen *s)
{
	int room = LINES - 1 - FIRST_ROW, y = 0;
	unsigned page = 1;
	char keys[LINE_SIZE], what[LINE_SIZE], foot[LINE_SIZE];

	clear_rows();
	for (size_t i = 0; room > 0; i++) {
		int rows;

		line_at(s, i, keys, what);
		if (!keys[0])
			break;
		rows = put_line(-1, room, keys, what);
		if (y + rows > room) {
			page++;
			y = 0;
		}
		if (page == s->help_page)
			put_line(FIRST_ROW + y, room - y, keys, what);
		y += rows;
	}
	s->has_more_help = page > s->help_page;
	snprintf(foot, sizeof(foot), "help %u of %u: a key %s", s->help_page, page,
		s->has_more_help ? "continues, Escape ends" : "ends it");
	attrset(A_REVERSE);
	mvhline(LINES - 1, 0, ' ', COLS);
	screen_put(LINES - 1, 0, COLS, foot);
	attrset(A_NORMAL);
}

/* --- cells --- */

static bool is_number(const struct sooth_field *f)
{
	return f->type == SOOTH_FIELD_UNSIGNED || f->type == SOOTH_FIELD_SIGNED ||
	       f->type == SOOTH_FIELD_REAL;
}

static bool may_shrink(const struct sooth_field *f)
{
	return f->may_shrink || f->type == SOOTH_FIELD_ARGS;
}

/* The arrow shows the direction; true: the rows are in the order of this field. */
static bool mark_sorted(const struct screen *s, const struct screen_table *t,
	const struct sooth_field *f, char label[FIELD_LABEL_SIZE])
{
	bool is_ascending, is_utf8 = text_is_utf8();
	const char *sort = screen_sort(s, t, &is_ascending);
	size_t used = strlen(label);

	if (!sort || strcmp(sort, f->name))
		return false;
	if (is_utf8)
		snprintf(label + used, 64 - used, "%s", is_ascending ? "\u25b2" : "\u25bc");
	else
		snprintf(label + used, 64 - used, "%c", is_ascending ? '^' : 'v');
	return true;
}

static attr_t level_attribute(
	const struct screen *s, const struct sooth_field *f, const struct sooth_record *r)
{
	static const attr_t attributes[SOOTH_FIELD_LEVELS] = { A_NORMAL, A_NORMAL, A_BOLD };
	static const short colors[SOOTH_FIELD_LEVELS] = { SCREEN_COLOR_LOOK, SCREEN_COLOR_WORRY,
		SCREEN_COLOR_ALARM };
	struct sooth_value v = sooth_field_get(f, r);
	double value = f->type == SOOTH_FIELD_REAL ? v.f : (double)v.u;
	attr_t result = A_NORMAL;

	if (!s->options.use_color || !f->levels || v.state != SOOTH_STATE_VALUE)
		return A_NORMAL;
	for (size_t i = 0; i < SOOTH_FIELD_LEVELS && value >= f->levels[i]; i++)
		result = attributes[i] | (attr_t)COLOR_PAIR(colors[i]);
	return result;
}

/* --- the tree --- */

/* The tree is drawn in front of the first text that may be cut, which names the row. */
static size_t tree_column(const struct screen_table *t)
{
	size_t column = 0;

	while (column + 1 < t->column_count && strcmp(t->columns[column]->name, "name") &&
		!may_shrink(t->columns[column]))
		column++;
	return column;
}

static void put_tree(const struct screen_row *row, struct buffer *text)
{
	struct buffer out = { 0 };

	for (unsigned i = 0; i < row->depth * TREE_INDENT; i++)
		buffer_char(&out, ' ');
	if (row->has_below)
		buffer_string(&out, row->is_folded ? "+ " : "- ");
	else if (row->depth)
		buffer_string(&out, ". ");
	buffer_append(&out, text->data, text->size);
	buffer_fini(text);
	*text = out;
}

/* --- columns --- */

static void grow(unsigned *width, int needed)
{
	if (needed > 0 && (unsigned)needed > *width)
		*width = (unsigned)needed;
}

/* Widths only grow while a table is shown, so that columns do not move. */
static void measure(struct screen *s, const struct screen_table *t, size_t last)
{
	wchar_t chars[SCREEN_CHARS];
	struct buffer text = { 0 };
	char label[FIELD_LABEL_SIZE];

	for (size_t c = 0; c < t->column_count; c++) {
		field_label(t->columns[c], label);
		mark_sorted(s, t, t->columns[c], label);
		grow(&s->widths[c], screen_chars(label, chars));
		for (size_t i = s->top; i < last; i++) {
			const struct screen_row *row = screen_row_at(s, i);

			screen_cell(&text, t->columns[c], row->record);
			if (s->is_tree && c == tree_column(t))
				put_tree(row, &text);
			grow(&s->widths[c], screen_chars(buffer_cstr(&text), chars));
		}
		if (may_shrink(t->columns[c]) && c + 1 < t->column_count &&
			s->widths[c] > WIDTH_SHRUNK)
			s->widths[c] = WIDTH_SHRUNK;
	}
	buffer_fini(&text);
}

/* --- room --- */

/* The last column gets the rest; a text that may be cut needs no more than others get. */
static int needed_width(const struct screen *s, const struct screen_table *t, size_t column)
{
	bool is_last = column + 1 == t->column_count;

	if (is_last && may_shrink(t->columns[column]) && s->widths[column] > WIDTH_SHRUNK)
		return WIDTH_SHRUNK;
	return (int)s->widths[column];
}

static int width_of_all(const struct screen *s, const struct screen_table *t)
{
	int width = GUTTER;

	for (size_t c = 0; c < t->column_count; c++)
		width += s->is_left_out[c] ? 0 : needed_width(s, t, c) + 1;
	return width - 1;
}

static size_t column_called(const struct screen_table *t, const char *name, size_t size)
{
	size_t c = 0;

	while (c < t->column_count &&
		(strlen(t->columns[c]->name) != size || strncmp(t->columns[c]->name, name, size)))
		c++;
	return c;
}

/*
 * Spare columns are dropped first; what then fits comes back. Scrolling to the side shows all.
 */
static void make_room(struct screen *s, const struct screen_table *t)
{
	const char *next = t->spare ? t->spare : "";
	size_t out[SECTION_COLUMNS_MAX], count = 0;

	memset(s->is_left_out, 0, sizeof(s->is_left_out));
	while (!s->first_column && *next && width_of_all(s, t) > COLS) {
		size_t size = strcspn(next, ","), c = column_called(t, next, size);

		if (c < t->column_count && count < SECTION_COLUMNS_MAX) {
			s->is_left_out[c] = true;
			out[count++] = c;
		}
		next += size + (next[size] == ',');
	}
	while (count--) {
		s->is_left_out[out[count]] = false;
		s->is_left_out[out[count]] = width_of_all(s, t) > COLS;
	}
}

static void put_cell(
	const struct screen *s, int y, int x, size_t column, bool to_right, const char *text)
{
	wchar_t chars[SCREEN_CHARS];
	int width = (int)s->widths[column], own = screen_chars(text, chars);
	int room = COLS - x < width ? COLS - x : width;

	if (to_right && own < width)
		x += width - own;
	screen_put(y, x, to_right && own < width ? (COLS - x < own ? COLS - x : own) : room, text);
}

static void put_head(struct screen *s, const struct screen_table *t, int y)
{
	int x = GUTTER;
	char label[FIELD_LABEL_SIZE];

	attrset(A_REVERSE);
	mvhline(y, 0, ' ', COLS);
	for (size_t c = s->first_column; c < t->column_count && x < COLS; c++) {
		bool is_sorted;

		if (s->is_left_out[c])
			continue;
		field_label(t->columns[c], label);
		is_sorted = mark_sorted(s, t, t->columns[c], label);
		attrset(is_sorted ? A_REVERSE | A_BOLD | A_UNDERLINE : A_REVERSE);
		put_cell(s, y, x, c, is_number(t->columns[c]), label);
		x += (int)s->widths[c] + 1;
	}
	attrset(A_NORMAL);
}

/* As in a report: the row is over a threshold. */
static bool is_alarm(
	const struct screen *s, const struct screen_table *t, const struct screen_row *row)
{
	const struct sooth_field *f = t->alarm ? sooth_schema_field(t->schema, t->alarm) : NULL;
	struct sooth_value v;

	if (!f || !s->options.use_color)
		return false;
	v = sooth_field_get(f, row->record);
	return v.state == SOOTH_STATE_VALUE && v.u;
}

static attr_t row_attribute(
	const struct screen *s, const struct screen_table *t, const struct screen_row *row)
{
	if (row->mark == SCREEN_MARK_GONE)
		return A_DIM;
	if (is_alarm(s, t, row))
		return A_BOLD | (attr_t)COLOR_PAIR(SCREEN_COLOR_ALARM);
	if (row->mark == SCREEN_MARK_NEW)
		return A_BOLD | (s->options.use_color ? (attr_t)COLOR_PAIR(SCREEN_COLOR_NEW) : 0);
	return A_NORMAL;
}

static void put_row(struct screen *s, const struct screen_table *t, size_t i, int y)
{
	static const char marks[] = { ' ', '+', '*', '-' };
	const struct screen_row *row = screen_row_at(s, i);
	attr_t all = row_attribute(s, t, row) | (i == s->picked ? A_REVERSE : 0);
	struct buffer text = { 0 };
	int x = GUTTER;

	attrset(all);
	mvhline(y, 0, ' ', COLS);
	mvaddch(y, 0, (chtype)marks[row->mark]);
	for (size_t c = s->first_column; c < t->column_count && x < COLS; c++) {
		attr_t level = level_attribute(s, t->columns[c], row->record);

		if (s->is_left_out[c])
			continue;
		screen_cell(&text, t->columns[c], row->record);
		if (s->is_tree && c == tree_column(t))
			put_tree(row, &text);
		attrset(level != A_NORMAL && !(all & A_REVERSE) ? level : all);
		/* The last one has the rest of the line. */
		if (c + 1 == t->column_count && !is_number(t->columns[c]))
			screen_put(y, x, COLS - x, buffer_cstr(&text));
		else
			put_cell(s, y, x, c, is_number(t->columns[c]), buffer_cstr(&text));
		x += (int)s->widths[c] + 1;
	}
	attrset(A_NORMAL);
	buffer_fini(&text);
}

/* --- around it --- */

/* The time of the rows: the screen is also drawn after a key, or while paused. */
static void put_title(const struct screen *s)
{
	char text[512], clock[32] = "", every[UNITS_SIZE] = "";
	struct tm tm;

	if (s->has_frame && localtime_r(&s->seen_at, &tm))
		strftime(clock, sizeof(clock), "  %H:%M:%S", &tm);
	if (s->options.interval_ns)
		format_ns(every, s->options.interval_ns);
	snprintf(text, sizeof(text), "%s%s%s%s%s%s%s%s", s->options.title, clock,
		every[0] ? "  every " : "", every, s->is_held ? "  PAUSED" : "",
		s->is_tree ? "  tree" : "", s->filter[0] ? "  filter: " : "", s->filter);
	attrset(A_BOLD);
	screen_put(0, 0, COLS, text);
	attrset(A_NORMAL);
}

/* The rows for the lines above the table, and the most lines. */
static int rows_of_lines(const struct buffer *lines, int *count)
{
	int most = LINES > 2 * LINES_MAX ? LINES_MAX : LINES / 4;

	*count = 0;
	for (size_t at = 0; at < lines->size && *count < most; (*count)++)
		at += strlen((const char *)lines->data + at) + 1;
	return LINES / 4 > most ? LINES / 4 : most;
}

/* Each line has a row; the remaining rows go to lines that need more. */
static int put_lines(struct screen *s)
{
	const struct buffer *lines = &screen_current(s)->lines;
	int y = 1, count, end = 1 + rows_of_lines(lines, &count);

	for (size_t at = 0; count; count--) {
		const char *text = (const char *)lines->data + at;

		y += screen_wrap((struct screen_place){ y, 0, COLS, end - y - count + 1 }, text);
		at += strlen(text) + 1;
	}
	return y;
}

static void put_foot(struct screen *s, size_t shown)
{
	char text[512];
	int used;

	if (s->is_asking) {
		snprintf(text, sizeof(text), "/%s", s->filter);
	} else if (s->message[0]) {
		snprintf(text, sizeof(text), "%s", s->message);
	} else {
		used = snprintf(text, sizeof(text), "%zu of %zu%s", shown, screen_row_count(s),
			s->hidden ? " (filtered)" : "");
		/* First the keys that a narrow terminal must not cut off. */
		used += snprintf(text + used, sizeof(text) - (size_t)used, "  h help  q quit");
		for (const struct screen_key *k = s->options.keys; k && k->key; k++)
			used += snprintf(text + used, sizeof(text) - (size_t)used, "  %c %s",
				k->key, k->help);
		snprintf(text + used, sizeof(text) - (size_t)used,
			"  s sort  / filter  t tree  space pause");
	}
	attrset(A_REVERSE);
	mvhline(LINES - 1, 0, ' ', COLS);
	screen_put(LINES - 1, 0, COLS, text);
	attrset(A_NORMAL);
}

static void put_table(struct screen *s, const struct screen_table *t, int y, int room)
{
	size_t count = screen_row_count(s), last;

	if (s->picked < s->top)
		s->top = s->picked;
	if (s->picked >= s->top + (size_t)room)
		s->top = s->picked - (size_t)room + 1;
	if (s->top + (size_t)room > count)
		s->top = count > (size_t)room ? count - (size_t)room : 0;
	last = s->top + (size_t)room < count ? s->top + (size_t)room : count;
	measure(s, t, last);
	make_room(s, t);
	put_head(s, t, y);
	for (size_t i = s->top; i < last; i++)
		put_row(s, t, i, y + 1 + (int)(i - s->top));
	if (!count && (s->hidden || t->if_empty))
		screen_put(y + 1, 0, COLS,
			s->hidden ? "no matching row; Escape shows all" : t->if_empty);
	put_foot(s, last - s->top);
}

void screen_draw(struct screen *s)
{
	const struct screen_table *t = screen_table(s);
	int y, room;

	if (pane_is_open(&s->pane)) {
		pane_draw(&s->pane, s->message);
		return;
	}
	erase();
	put_title(s);
	y = put_lines(s);
	room = LINES - y - 2; /* head and foot */
	if (t && room > 0)
		put_table(s, t, y, room);
	else if (LINES > 1)
		put_foot(s, 0);
	if (s->help_page)
		screen_help(s);
	refresh();
}

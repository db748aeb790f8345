/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of sessions and processes. */
#include <string.h>

#include "cli/top/columns.h"
#include "cli/top/draw.h"
#include "cli/top/text.h"

#define GUTTER 2 /* the mark of a row, and a blank */

static void draw_heading(struct top *t, int y, int x, const int widths[TOP_COLUMNS_MAX])
{
	struct canvas *c = &t->canvas;

	canvas_blank(c, (struct canvas_area){ y, 0, 1, c->columns }, TOP_HEADING);
	t->places.headings = 0;
	t->places.heading_y = y;
	x += GUTTER;
	for (size_t i = 0; i < top_column_count; i++) {
		const struct top_column *column = &top_columns[i];
		unsigned style =
			TOP_STYLED(TOP_HEADING, i == t->sort ? TOP_BOLD | TOP_UNDERLINE : 0);
		char text[32];

		if (!widths[i])
			continue;
		t->places.heading_x[t->places.headings] = x;
		t->places.heading_column[t->places.headings++] = (uint8_t)i;
		snprintf(text, sizeof(text), "%s%s", column->heading,
			i != t->sort || !column->heading[0] ? ""
			: c->is_utf8			    ? t->is_reversed ? "\u25b2" : "\u25bc"
			: t->is_reversed		    ? "^"
							    : "v");
		if (column->is_number)
			canvas_put_right(c, y, x, widths[i], style, text);
		else
			canvas_put(c, y, x, widths[i], style, text);
		x += widths[i] + 1;
	}
}

static bool is_tagged(const struct top *t, const struct top_row *row)
{
	return map_get(&t->tagged, &row->id) != NULL;
}

static void put_mark(struct top *t, const struct top_row *row, int y, int x)
{
	enum top_mark mark = row->kind == TOP_ROW_SESSION ? row->session->mark : row->process->mark;
	static const char signs[TOP_MARKS] = { ' ', '+', '*', '-' };
	static const uint8_t styles[TOP_MARKS] = { TOP_TEXT, TOP_NEW, TOP_HIGH, TOP_GONE };
	char sign = signs[mark];

	if (mark)
		canvas_char(&t->canvas, y, x, TOP_STYLED(styles[mark], TOP_BOLD),
			(unsigned char)sign, sign);
	else if (is_tagged(t, row))
		canvas_char(&t->canvas, y, x, TOP_STYLED(TOP_TAGGED, TOP_BOLD), 0x2022, '#');
	else if (row->kind == TOP_ROW_SESSION && row->has_below)
		canvas_char(&t->canvas, y, x, TOP_DIM, row->is_unfolded ? 0x25be : 0x25b8,
			row->is_unfolded ? '-' : '>');
	else if (row->kind == TOP_ROW_LEFT_OVER)
		canvas_char(&t->canvas, y, x, TOP_STYLED(TOP_HIGH, TOP_BOLD), '!', '!');
}

static void restyle_row(struct top *t, int y, const struct canvas_area *a, uint8_t style)
{
	for (int x = a->x; x < a->x + a->columns && x < t->canvas.columns; x++)
		t->canvas.cells[y * t->canvas.columns + x].style = style;
}

/* Returns whether a process is over a threshold of -k or -m. */
static bool is_over(const struct top *t, const struct top_row *row)
{
	double is_it = 0;

	return row->process &&
	       top_number(t->model.schema, "is_over_threshold", row->process->row, &is_it) &&
	       is_it > 0;
}

/* Draws the finding of a session, or its whole activity, which its column may have cut. */
static void put_below(struct top *t, const struct top_row *row, int y, const struct canvas_area *a)
{
	const struct top_session *s = row->session;
	bool is_finding = top_row_has_answer(t, row) && !top_session_is_noted(s);

	canvas_format(&t->canvas, y, a->x + 2 * GUTTER, a->columns - 2 * GUTTER,
		is_finding ? top_finding_style(s->finding_level) : top_doing_style(s), "%s%s%s",
		is_finding ? top_finding_word(s->finding_name) : "", is_finding ? "  " : "",
		is_finding ? s->finding : s->doing_text);
}

static void draw_row(struct top *t, size_t i, int y, const struct canvas_area *a,
	const int widths[TOP_COLUMNS_MAX])
{
	const struct top_row *row = top_row_at(t, i);
	int x = a->x + GUTTER;

	char heading[256];

	if (row->has_heading) {
		top_left_sentence(t, row->process, heading, sizeof(heading));
		canvas_put(&t->canvas, y++, a->x, a->columns, TOP_HIGH, heading);
		if (y >= a->y + a->rows)
			return;
	}
	if (top_row_lines(t, row) - row->has_heading > 1 && y + 1 < a->y + a->rows)
		put_below(t, row, y + 1, a);
	put_mark(t, row, y, a->x);
	for (size_t k = 0; k < top_column_count; k++) {
		if (!widths[k])
			continue;
		top_columns[k].draw(t, row, (struct top_cell_place){ y, x, widths[k] });
		x += widths[k] + 1;
	}
	if (row->kind == TOP_ROW_SESSION && row->session->mark == TOP_MARK_GONE)
		restyle_row(t, y, a, TOP_GONE);
	else if (is_tagged(t, row))
		restyle_row(t, y, a, TOP_TAGGED);
	else if (is_over(t, row))
		restyle_row(t, y, a, TOP_ALARM);
	if (i == t->picked && !t->is_pick_gone)
		canvas_mark(&t->canvas, y, a->x, a->columns, TOP_PICKED);
}

static void keep_in_sight(struct top *t, size_t room)
{
	size_t count = top_row_count(t);

	if (t->picked < t->first)
		t->first = t->picked;
	while (t->first < t->picked && top_lines(t, t->first, t->picked + 1) > room)
		t->first++;
	while (t->first && top_lines(t, t->first - 1, count) <= room)
		t->first--;
}

static void put_empty(struct top *t, struct canvas_area a)
{
	const char *why = !t->model.frames    ? "reading the processes..."
			  : t->hidden	      ? "no matching row; Escape shows all"
			  : t->model.if_empty ? t->model.if_empty
					      : "no agents are running here";

	canvas_put(&t->canvas, a.y, a.x + GUTTER, a.columns - GUTTER, TOP_DIM, why);
}

/* Returns whether the activity of the selected session has no room in its column. */
static bool is_activity_cut(const struct top *t, int width)
{
	const struct top_row *row = t->picked < top_row_count(t) ? top_row_at(t, t->picked) : NULL;

	return row && width && !t->is_pick_gone && row->kind == TOP_ROW_SESSION &&
	       row->session->mark != TOP_MARK_GONE &&
	       canvas_width(&t->canvas, row->session->doing_text) > width;
}

void top_draw_list(struct top *t, struct canvas_area a)
{
	int widths[TOP_COLUMNS_MAX];
	int y = a.y + 1;

	top_columns_fit(t, a.columns - GUTTER, widths);
	t->shows_tasks = widths[top_column_number("task")] > 0;
	t->is_activity_cut = is_activity_cut(t, widths[top_column_number("activity")]);
	draw_heading(t, a.y, a.x, widths);
	a.y++;
	a.rows--;
	t->places.list = a;
	if (a.rows <= 0)
		return;
	keep_in_sight(t, (size_t)a.rows);
	for (size_t i = t->first; i < top_row_count(t) && y < a.y + a.rows; i++) {
		draw_row(t, i, y, &a, widths);
		y += top_row_lines(t, top_row_at(t, i));
	}
	if (!top_row_count(t))
		put_empty(t, a);
}

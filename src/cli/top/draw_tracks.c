/* SPDX-License-Identifier: BSD-2-Clause */
/* Draws the last minutes of all sessions below each other, on one scale of time, if the screen is
 * large. */
#include "base/units.h"
#include "cli/top/draw.h"
#include "cli/top/text.h"

#define FROM_ROWS    50
#define FROM_COLUMNS 100
#define LABEL	     22
#define VALUE	     7
#define MOST_ROWS    3	    /* rows of a session: its activity, its CPU, an empty row */
#define BLOCK	     0x2586 /* keeps rows of one color apart */
#define MARK_EACH    40	    /* columns between two marks of the time */

static unsigned frames_per_column(const struct top *t)
{
	return t->graphs == GRAPH_BRAILLE ? 2 : 1;
}

void top_draw_strip(struct top *t, const struct top_session *s, struct canvas_area a)
{
	for (int i = 0; i < a.columns; i++) {
		unsigned ago = (unsigned)(a.columns - 1 - i) * frames_per_column(t);
		double doing = recent_at(&s->doings, ago);

		if (doing >= 0 && doing < TOP_DOINGS)
			canvas_char(&t->canvas, a.y, a.x + i, top_doings[(int)doing].style, BLOCK,
				top_doings[(int)doing].word[0]);
	}
}

static int session_rows(const struct top *t)
{
	int count = 0;

	for (size_t i = 0; i < top_row_count(t); i++)
		count += top_row_at(t, i)->kind == TOP_ROW_SESSION;
	return count;
}

/* Returns how many rows each session gets; 0: there is no room. */
static int rows_each(int count, int room)
{
	for (int each = MOST_ROWS; each; each--) {
		/* The detail below is worth some rows, too. */
		if (count && count * each + 2 <= (each == 1 ? room : room * 2 / 3))
			return each;
	}
	return 0;
}

int top_tracks_rows(const struct top *t, int room)
{
	int count = session_rows(t), each = rows_each(count, room);

	if (t->is_tree || t->is_flat || t->canvas.rows < FROM_ROWS ||
		t->canvas.columns < FROM_COLUMNS || !each)
		return 0;
	return count * each + 2 - (each == MOST_ROWS);
}

static void put_track(struct top *t, const struct top_session *s, struct canvas_area a)
{
	struct canvas_area graph = { a.y, a.x + LABEL, 1, a.columns - LABEL - VALUE };
	char age[24] = "";

	canvas_put(&t->canvas, a.y, a.x, LABEL - 1, top_project_style(s), s->project);
	top_draw_strip(t, s, graph);
	if (s->has_since && s->mark != TOP_MARK_GONE)
		canvas_put_right(&t->canvas, a.y, a.x + a.columns - VALUE, VALUE - 1,
			top_age_style(s), top_age(age, s->since_s));
	if (a.rows < 2)
		return;
	graph.y++;
	canvas_put(&t->canvas, graph.y, a.x + 2, LABEL - 3, TOP_DIM, "cpu");
	graph_draw(&t->canvas, graph, t->graphs, &s->cpu, &graph_cpu);
	if (s->has_cpu && s->mark != TOP_MARK_GONE)
		canvas_format(&t->canvas, graph.y, a.x + a.columns - VALUE, VALUE - 1, TOP_DIM,
			"%5.1f%%", s->cpu_percent);
}

/* Draws at the lower edge how long ago each time was. */
static void put_times(struct top *t, int y, int right, int columns)
{
	double column_s = (double)t->interval_ns / (double)NS_PER_S * frames_per_column(t);
	char age[24];

	for (int at = MARK_EACH; at + 8 < columns; at += MARK_EACH)
		canvas_format(&t->canvas, y, right - at - 2, 12, TOP_DIM, " %s ago ",
			top_age(age, column_s * at));
}

void top_draw_tracks(struct top *t, struct canvas_area a)
{
	int count = session_rows(t), each = (a.rows - 1) / (count ? count : 1);
	struct canvas_area in = canvas_box(&t->canvas, a, "what the sessions did");
	int end = in.y + in.rows;

	in.x++;
	in.columns -= 2;
	buffer_each (const struct top_row, row, &t->rows) {
		if (row->kind != TOP_ROW_SESSION || in.y >= end)
			continue;
		in.rows = each;
		put_track(t, row->session, in);
		in.y += each;
	}
	if (!t->replay)
		put_times(
			t, a.y + a.rows - 1, in.x + in.columns - VALUE, in.columns - LABEL - VALUE);
}

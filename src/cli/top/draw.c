/* SPDX-License-Identifier: BSD-2-Clause */
/* Draws a frame: head, list, foot, and boxes over them. */
#include "cli/top/column_list.h"
#include "cli/top/draw.h"
#include "cli/top/findings_list.h"
#include "cli/top/prompt.h"

#include <string.h>

#define DETAIL_LEAST 10 /* rows: with its finding, and its graphs */

struct foot_key {
	const char *key, *what;
};

/* The most important keys come first: a narrow terminal cuts the others off. */
static const struct foot_key list_keys[] = {
	{ "?", "help" },
	{ "q", "quit" },
	{ "Enter", "diagnose" },
	{ "Right", "unfold" },
	{ "y", "why" },
	{ "i", "inspect" },
	{ "F9", "kill" },
	{ "zZ", "freeze, thaw" },
	{ "w", "findings" },
	{ "/", "search" },
	{ "F4", "filter" },
	{ "t", "tree" },
	{ "<>", "sort" },
	{ "o", "columns" },
	{ "p", "pause" },
	{ "a", "timeline" },
	{ "c", "calls" },
	{ "s", "sockets" },
	{ "f", "files" },
	{ 0 },
};
static const struct foot_key pane_keys[] = {
	{ "q", "back" },
	{ "/", "search" },
	{ "n", "next" },
	{ "r", "again" },
	{ "PgDn", "scroll" },
	{ "d", "diagnose" },
	{ "K", "kill" },
	{ "zZ", "freeze, thaw" },
	{ "y", "why" },
	{ "i", "inspect" },
	{ "f", "files" },
	{ "s", "sockets" },
	{ "c", "calls" },
	{ "a", "timeline" },
	{ 0 },
};

static void put_keys(struct top *t, const struct foot_key *keys, int y, int x)
{
	struct canvas *c = &t->canvas;

	for (const struct foot_key *k = keys; k->key; k++) {
		if (x + (int)(strlen(k->key) + strlen(k->what)) + 2 > c->columns)
			return;
		x += canvas_put(c, y, x, c->columns - x, TOP_STYLED(TOP_KEY, TOP_BOLD), k->key) + 1;
		x += canvas_put(c, y, x, c->columns - x, TOP_FOOT, k->what) + 2;
	}
}

static int put_ended(struct top *t, int y)
{
	const struct top_targets *g = &t->targets;

	return g->ended ? canvas_format(&t->canvas, y, 0, t->canvas.columns,
				  TOP_STYLED(TOP_HIGH, TOP_BOLD),
				  g->count > 1 ? "%zu of %zu targets have ended  "
					       : "the target has ended  ",
				  g->ended, g->count)
			: 0;
}

static void draw_foot(struct top *t, int y)
{
	struct canvas *c = &t->canvas;
	char count[64];
	int x = 0;

	canvas_blank(c, (struct canvas_area){ y, 0, 1, c->columns }, TOP_FOOT);
	if (top_prompt_is_open(t)) {
		top_prompt_draw(t, y);
		return;
	}
	if (t->message[0]) {
		canvas_put(c, y, 0, c->columns, TOP_STYLED(TOP_HIGH, TOP_BOLD), t->message);
		return;
	}
	if (t->pane.kind) {
		put_keys(t, pane_keys, y, 0);
		return;
	}
	x += put_ended(t, y);
	if (t->is_pick_gone && top_row_count(t)) {
		canvas_format(c, y, x, c->columns - x, TOP_STYLED(TOP_HIGH, TOP_BOLD),
			"%u has left the list: Up or Down selects another row", t->picked_id.pid);
		return;
	}
	snprintf(count, sizeof(count), "%zu/%zu%s ", top_row_count(t) ? t->picked + 1 : 0,
		top_row_count(t), t->hidden ? " filtered" : "");
	x += canvas_put(c, y, x, c->columns - x, TOP_DIM, count);
	put_keys(t, list_keys, y, x + 1);
}

/* The parts below the list, in this order. */
struct below {
	int found, tracks, detail;
};

static int list_lines(const struct top *t)
{
	return (int)top_lines(t, 0, top_row_count(t));
}

static struct below share_room(const struct top *t, int rows, int columns)
{
	struct below b = { .detail = top_detail_rows(t) };
	/* Findings get room before details. */
	int all = top_found_rows(t, rows, columns), left;

	left = rows - list_lines(t) - 2 - all;
	if (b.detail > left)
		b.detail = left > DETAIL_LEAST	     ? left
			   : b.detail < DETAIL_LEAST ? b.detail
						     : DETAIL_LEAST;
	b.found = top_found_rows(t, rows - b.detail, columns);
	/* Room for the heading of the list, and an empty row below the list. */
	left = rows - b.detail - b.found - list_lines(t) - 2;
	b.tracks = top_tracks_rows(t, left);
	left -= b.tracks;
	if (b.detail && b.tracks && left > 0)
		b.detail += left;
	return b;
}

/* Shares the room so that each session has its finding, if the box below has not all of them. */
static struct below share_with_answers(struct top *t, int rows, int columns)
{
	struct below b, with;

	t->answer_level = 0;
	b = share_room(t, rows, columns);
	if (top_found_is_whole(t, b.found, columns))
		return b;
	t->answer_level = TOP_LEVEL_SICK - 1;
	with = share_room(t, rows, columns);
	if (list_lines(t) + 2 <= rows - with.detail)
		return with;
	t->answer_level = b.found ? 0 : TOP_LEVEL_SICK;
	return b.found ? b : share_room(t, rows, columns);
}

static void draw_rows(struct top *t, struct canvas_area a)
{
	struct below b = share_with_answers(t, a.rows, a.columns);
	int y = a.y + a.rows - b.detail;

	if (b.detail)
		top_draw_detail(t, (struct canvas_area){ y, a.x, b.detail, a.columns });
	y -= b.tracks;
	if (b.tracks)
		top_draw_tracks(t, (struct canvas_area){ y, a.x, b.tracks, a.columns });
	y -= b.found;
	if (b.found)
		top_draw_found(t, (struct canvas_area){ y, a.x, b.found, a.columns });
	a.rows = y - a.y;
	top_draw_list(t, a);
}

static void draw_pane(struct top *t, struct canvas_area a)
{
	int half = a.columns / 2;

	if (!top_pane_is_beside(t)) {
		top_pane_draw(&t->pane, &t->canvas, a);
		return;
	}
	draw_rows(t, (struct canvas_area){ a.y, a.x, a.rows, half });
	top_pane_draw(&t->pane, &t->canvas,
		(struct canvas_area){ a.y, a.x + half, a.rows, a.columns - half });
}

void top_draw(struct top *t)
{
	struct canvas *c = &t->canvas;
	int head;

	canvas_clear(c);
	if (c->rows < 1 || c->columns < 1)
		return;
	head = top_head_rows(t);
	top_draw_head(t, (struct canvas_area){ 0, 0, head, c->columns });
	if (t->pane.kind && c->rows - head - 1 > 0)
		draw_pane(t, (struct canvas_area){ head, 0, c->rows - head - 1, c->columns });
	else if (c->rows - head - 1 > 0)
		draw_rows(t, (struct canvas_area){ head, 0, c->rows - head - 1, c->columns });
	if (c->rows > 1)
		draw_foot(t, c->rows - 1);
	if (t->mode == TOP_HELP)
		top_draw_help(t);
	else if (t->mode == TOP_FINDINGS)
		top_findings_draw(t);
	else if (t->mode == TOP_CHOOSES_COLUMNS)
		top_column_list_draw(t);
	top_act_draw(t);
}

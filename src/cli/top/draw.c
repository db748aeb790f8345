/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame: head, list, foot, and what stands over them. */
#include "cli/top/draw.h"

#include <string.h>

#include "base/cleanup.h"

struct foot_key {
	const char *key, *what;
};

/* The most needed first: a narrow terminal cuts the others off. */
static const struct foot_key foot_keys[] = {
	{ "?", "help" },
	{ "q", "quit" },
	{ "Enter", "unfold" },
	{ "/", "filter" },
	{ "t", "tree" },
	{ "<>", "sort" },
	{ "I", "reverse" },
	{ "p", "pause" },
};

static void put_keys(struct top *t, int y, int x)
{
	struct canvas *c = &t->canvas;

	for (size_t i = 0; i < ARRAY_SIZE(foot_keys); i++) {
		const struct foot_key *k = &foot_keys[i];

		if (x + (int)(strlen(k->key) + strlen(k->what)) + 2 > c->columns)
			return;
		x += canvas_put(c, y, x, c->columns - x, TOP_STYLED(TOP_KEY, TOP_BOLD), k->key) + 1;
		x += canvas_put(c, y, x, c->columns - x, TOP_FOOT, k->what) + 2;
	}
}

static void draw_foot(struct top *t, int y)
{
	struct canvas *c = &t->canvas;
	char count[64];
	int x;

	canvas_blank(c, (struct canvas_area){ y, 0, 1, c->columns }, TOP_FOOT);
	if (t->mode == TOP_ASKS_FILTER || t->mode == TOP_ASKS_SEARCH) {
		x = canvas_put(c, y, 0, c->columns, TOP_STYLED(TOP_KEY, TOP_BOLD),
			t->mode == TOP_ASKS_FILTER ? "filter: " : "search: ");
		x += canvas_put(c, y, x, c->columns - x, TOP_TEXT,
			t->mode == TOP_ASKS_FILTER ? t->filter : t->search);
		canvas_mark(c, y, x, 1, TOP_REVERSE);
		return;
	}
	if (t->message[0]) {
		canvas_put(c, y, 0, c->columns, TOP_STYLED(TOP_HIGH, TOP_BOLD), t->message);
		return;
	}
	snprintf(count, sizeof(count), "%zu/%zu%s ", top_row_count(t) ? t->picked + 1 : 0,
		top_row_count(t), t->hidden ? " filtered" : "");
	x = canvas_put(c, y, 0, c->columns, TOP_DIM, count);
	put_keys(t, y, x + 1);
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
	if (c->rows - head - 1 > 0)
		top_draw_list(t, (struct canvas_area){ head, 0, c->rows - head - 1, c->columns });
	if (c->rows > 1)
		draw_foot(t, c->rows - 1);
	if (t->mode == TOP_HELP)
		top_draw_help(t);
}

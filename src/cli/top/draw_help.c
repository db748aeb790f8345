/* SPDX-License-Identifier: BSD-2-Clause */
/* The help: every key, on one screen where there is room. */
#include "base/cleanup.h"
#include "cli/top/draw.h"

static const struct {
	const char *keys, *what;
} lines[] = {
	{ "Up Down j k", "select a row; g G PgUp PgDn: far" },
	{ "Enter Right Left", "processes of the session, by role" },
	{ "t F5", "tree of all processes; sessions" },
	{ "< > F6  I", "sort by another column; reverse" },
	{ "/ F4  n F3", "filter by text, Escape ends it; search" },
	{ "d y i", "diagnose; why it waits; inspect" },
	{ "f s m c x a", "files sockets memory calls stacks timeline" },
	{ "K F9", "end it by a signal; asks first" },
	{ "z F7  Z F8", "freeze it; let it go on; asks first" },
	{ "Space U", "tag a row; untag all: acts on the tagged" },
	{ "C R J", "copy PID, resume command; go to its terminal" },
	{ "p", "pause the display" },
	{ "[ ] { }", "of a capture: step back, on; 30 frames" },
	{ "? F1  q F10", "this help; quit" },
	{ "mouse", "click a row or a heading; wheel" },
	{ "in front of rows", "+ new  * changed  - ended  ! left over" },
};

#define KEYS_WIDTH 18

void top_draw_help(struct top *t)
{
	struct canvas *c = &t->canvas;
	int count = (int)ARRAY_SIZE(lines), columns = c->columns < 66 ? c->columns : 66;
	int rows = count + 2 < c->rows ? count + 2 : c->rows;
	struct canvas_area in;

	if (columns < 4 || rows < 3)
		return;
	in = canvas_box(c,
		(struct canvas_area){
			(c->rows - rows) / 2, (c->columns - columns) / 2, rows, columns },
		"keys: any key ends this");
	if (t->help_first > count - in.rows)
		t->help_first = count - in.rows;
	if (t->help_first < 0)
		t->help_first = 0;
	for (int i = 0; i < in.rows && t->help_first + i < count; i++) {
		canvas_put(c, in.y + i, in.x + 1, KEYS_WIDTH - 1, TOP_STYLED(TOP_KEY, TOP_BOLD),
			lines[t->help_first + i].keys);
		canvas_put(c, in.y + i, in.x + 1 + KEYS_WIDTH, in.columns - 1 - KEYS_WIDTH,
			TOP_TEXT, lines[t->help_first + i].what);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The help: every key on one screen, in few words where there is little room. */
#include <string.h>

#include "base/cleanup.h"
#include "cli/top/draw.h"

struct help_line {
	const char *keys, *what;
};

static const struct help_line lines[] = {
	{ "Up Down j k", "select a row; g G PgUp PgDn: far" },
	{ "Right Left", "processes of the session, by role" },
	{ "t F5  L", "tree of all processes; all in an order" },
	{ "< > F6  I  o F2", "sort by another column; reverse; columns" },
	{ "/ F3  n N", "search: a text or a PID; next, previous" },
	{ "F4 \\  u", "filter: text or expression; user. Escape: all" },
	{ "w", "findings, the most severe first" },
	{ "Enter d  y i", "diagnose; why it waits; inspect" },
	{ "f s m e", "files; sockets; mappings; heap by page faults" },
	{ "c x a l  b", "calls; stacks; timeline; log; short-lived" },
	{ "K F9", "end it by a signal; asks first" },
	{ "z F7  Z F8", "freeze it; let it go on; asks first" },
	{ "Space U", "tag a row; untag all: acts on the tagged" },
	{ "C R J", "copy PID, resume command; go to its terminal" },
	{ "+ -  p", "longer, shorter interval; pause the display" },
	{ "[ ] { }", "capture: 1 frame back, on; 30 back, on" },
	{ "? F1  q F10", "this help; quit" },
	{ "mouse", "click a row or a heading; wheel" },
	{ "in front of rows", "+ new  * changed  - ended  ! left over" },
};

static const struct help_line short_lines[] = { { "jk", "move" }, { "->", "open" },
	{ "tL", "all" }, { "<>", "sort" }, { "I", "turn" }, { "o", "cols" }, { "/", "find" },
	{ "n", "next" }, { "F4", "only" }, { "u", "user" }, { "w", "worst" }, { "d", "diag" },
	{ "y", "why" }, { "i", "info" }, { "f", "files" }, { "s", "net" }, { "m", "maps" },
	{ "e", "heap" }, { "c", "calls" }, { "x", "stack" }, { "abl", "past" }, { "K", "kill" },
	{ "zZ", "hold" }, { "Spc", "tag" }, { "U", "none" }, { "CR", "copy" }, { "J", "tty" },
	{ "p", "stop" }, { "+-", "pace" }, { "[]", "step" }, { "q", "quit" } };

#define KEYS_WIDTH 18

#define COLUMNS 66

/* Draws the keys one after the other, over the whole screen. */
static void draw_short(struct top *t)
{
	struct canvas *c = &t->canvas;
	int y = 0, x = 0;

	canvas_blank(c, (struct canvas_area){ 0, 0, c->rows, c->columns }, TOP_TEXT);
	for (size_t i = 0; i < ARRAY_SIZE(short_lines) && y < c->rows; i++) {
		const struct help_line *l = &short_lines[i];
		int width = (int)(strlen(l->keys) + strlen(l->what)) + 1;

		if (x && x + 1 + width > c->columns) {
			x = 0;
			y++;
		}
		x += x != 0;
		x += canvas_put(c, y, x, c->columns - x, TOP_STYLED(TOP_KEY, TOP_BOLD), l->keys);
		x += 1 + canvas_put(c, y, x + 1, c->columns - x - 1, TOP_TEXT, l->what);
	}
}

void top_draw_help(struct top *t)
{
	struct canvas *c = &t->canvas;
	int count = (int)ARRAY_SIZE(lines);
	struct canvas_area in;

	if (c->columns < COLUMNS || c->rows < count + 2) {
		draw_short(t);
		return;
	}
	in = canvas_box(c,
		(struct canvas_area){
			(c->rows - count - 2) / 2, (c->columns - COLUMNS) / 2, count + 2, COLUMNS },
		"keys: any key ends this");
	for (int i = 0; i < count; i++) {
		canvas_put(c, in.y + i, in.x + 1, KEYS_WIDTH - 1, TOP_STYLED(TOP_KEY, TOP_BOLD),
			lines[i].keys);
		canvas_put(c, in.y + i, in.x + 1 + KEYS_WIDTH, in.columns - 1 - KEYS_WIDTH,
			TOP_TEXT, lines[i].what);
	}
}

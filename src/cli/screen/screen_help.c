/* SPDX-License-Identifier: BSD-2-Clause */
/* The help pages of the keys, as many as the terminal needs. */
#include <curses.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/screen/screen_state.h"

#define FIRST_ROW 2
#define MARGIN	  2
#define KEYS	  42 /* columns, where there are two */
#define TWO_FROM  80 /* columns of a terminal */
#define LINE_SIZE 256

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

void screen_help(struct screen *s)
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

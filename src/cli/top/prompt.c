/* SPDX-License-Identifier: BSD-2-Clause */
/* The prompt in the last row. The list follows a filter while it is typed. */
#include "cli/top/prompt.h"

#include <stdio.h>
#include <string.h>

static const char *const prompts[TOP_MODES] = { [TOP_ASKS_FILTER] = "filter: ",
	[TOP_ASKS_USER] = "user (empty: all): ",
	[TOP_ASKS_SEARCH] = "search: ",
	[TOP_ASKS_PANE_SEARCH] = "search: " };

bool top_prompt_is_open(const struct top *t)
{
	return prompts[t->mode] != NULL;
}

/* Opens a prompt. That of the filter begins with the present filter, every other one is empty. */
void top_prompt_open(struct top *t, enum top_mode mode)
{
	t->mode = mode;
	t->typed[0] = '\0';
	if (mode == TOP_ASKS_FILTER)
		memcpy(t->typed, t->match.text, sizeof(t->typed));
}

/* --- characters --- */

static void drop_character(char *text)
{
	size_t size = strlen(text);

	/* A whole character of several bytes. */
	while (size && ((unsigned char)text[size - 1] & 0xc0) == 0x80)
		size--;
	text[size ? size - 1 : 0] = '\0';
}

static void add_character(char text[TOP_FILTER_SIZE], int key)
{
	size_t size = strlen(text);

	if (key < ' ' || key >= 0x110000 || (key >= 0x7f && key < 0xa0))
		return;
	if (key < 0x80 && size + 1 < TOP_FILTER_SIZE) {
		text[size] = (char)key;
		text[size + 1] = '\0';
	} else if (key < 0x800 && size + 2 < TOP_FILTER_SIZE) {
		snprintf(text + size, TOP_FILTER_SIZE - size, "%c%c", 0xc0 | key >> 6,
			0x80 | (key & 0x3f));
	} else if (key >= 0x800 && key < 0x10000 && size + 3 < TOP_FILTER_SIZE) {
		snprintf(text + size, TOP_FILTER_SIZE - size, "%c%c%c", 0xe0 | key >> 12,
			0x80 | (key >> 6 & 0x3f), 0x80 | (key & 0x3f));
	}
}

/* --- searching --- */

static bool row_has(const struct top *t, const struct top_row *row, const char *text)
{
	return (row->process && top_process_has(t->model.schema, row->process, text)) ||
	       (row->kind == TOP_ROW_SESSION && top_session_has(row->session, text));
}

void top_find_next(struct top *t, int step)
{
	size_t count = top_row_count(t);

	for (size_t i = 1; i <= count; i++) {
		size_t at = (t->picked + (step < 0 ? count - i : i)) % count;

		if (!row_has(t, top_row_at(t, at), t->search))
			continue;
		top_pick(t, at);
		return;
	}
	top_say(t, "no row has \"%s\"", t->search);
}

void top_find_in_pane(struct top *t)
{
	if (!top_pane_find(&t->pane))
		top_say(t, "no line has \"%s\"", t->pane.search);
}

/* --- keys --- */

static void apply_filter(struct top *t)
{
	struct top_match *m = &t->match;

	memcpy(m->text, t->typed, sizeof(m->text));
	top_match_changed(m, t->model.schema);
	top_arrange(t);
}

static void accept_input(struct top *t)
{
	enum top_mode mode = t->mode;

	/* The reason stands behind what was typed. */
	if (mode == TOP_ASKS_FILTER && t->match.why[0])
		return;
	t->mode = TOP_LIST;
	if (mode == TOP_ASKS_USER) {
		memcpy(t->match.user, t->typed, sizeof(t->match.user));
		top_arrange(t);
	} else if (mode == TOP_ASKS_SEARCH && t->typed[0]) {
		memcpy(t->search, t->typed, sizeof(t->search));
		top_find_next(t, 1);
	} else if (mode == TOP_ASKS_PANE_SEARCH && t->typed[0]) {
		memcpy(t->pane.search, t->typed, sizeof(t->pane.search));
		top_find_in_pane(t);
	}
}

void top_prompt_handle_key(struct top *t, int key)
{
	bool is_filter = t->mode == TOP_ASKS_FILTER;

	if (key == TOP_KEY_ENTER || key == '\r') {
		accept_input(t);
		return;
	}
	if (key == TOP_KEY_ESCAPE) {
		t->typed[0] = '\0';
		t->mode = TOP_LIST;
	} else if (key == TOP_KEY_BACKSPACE || key == '\b') {
		drop_character(t->typed);
	} else {
		add_character(t->typed, key);
	}
	if (is_filter)
		apply_filter(t);
}

/* --- drawing --- */

void top_prompt_draw(struct top *t, int y)
{
	struct canvas *c = &t->canvas;
	int x = canvas_put(c, y, 0, c->columns, TOP_STYLED(TOP_KEY, TOP_BOLD), prompts[t->mode]);

	x += canvas_put(c, y, x, c->columns - x, TOP_TEXT, t->typed);
	canvas_mark(c, y, x, 1, TOP_REVERSE);
	if (t->mode == TOP_ASKS_FILTER && t->match.why[0])
		canvas_put(c, y, x + 2, c->columns - x - 2, TOP_HIGH, t->match.why);
	else if (t->mode == TOP_ASKS_FILTER && !t->typed[0])
		canvas_put(c, y, x + 2, c->columns - x - 2, TOP_DIM,
			"a text, or e.g. cpu_percent > 50 and user = root");
}

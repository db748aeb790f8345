/* SPDX-License-Identifier: BSD-2-Clause */
/* Panes over the list. */
#include "cli/top/pane.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/top/state.h"

#define KIND(key, name, help, doing, ...)                                                          \
	{                                                                                          \
		key, name, help, doing, { __VA_ARGS__ }, false, NULL                               \
	}
#define OF_SESSION(key, name, help, doing, ...)                                                    \
	{                                                                                          \
		key, name, help, doing, { __VA_ARGS__ }, true, NULL                                \
	}

static const char *const tables_of_calls[] = { "CALL CALLS ", "no system calls ", NULL };

const struct top_pane_kind top_pane_kinds[] = {
	OF_SESSION(
		'd', "diagnose", "what is wrong with it, with evidence", "diagnosing", "diagnose"),
	KIND('y', "why", "what it waits for", "reading what it waits for", "why"),
	KIND('i', "inspect", "everything about the process", "inspecting", "inspect"),
	KIND('f', "fds", "its descriptors", "reading its descriptors", "inspect", "--fds"),
	KIND('s', "sockets", "its sockets", "reading its sockets", "inspect", "--sockets"),
	KIND('m', "maps", "its memory by kind", "reading its mappings", "inspect", "--maps"),
	KIND('e', "heap", "its memory by page faults, over 5 s", "watching its page faults for 5 s",
		"heap", "--pages", "-d", "5", "-p"),
	{ 'c', "calls", "its system calls, counted each second while the pane is open",
		"counting its system calls each second", { "trace", "-c", "--interval", "1", "-p" },
		false, tables_of_calls },
	KIND('x', "stacks", "stacks of its threads", "reading its stacks", "stack"),
	KIND('a', "timeline", "what the session did since sooth top began", "", NULL),
};
const size_t top_pane_kind_count = ARRAY_SIZE(top_pane_kinds);

const struct top_pane_kind *top_pane_kind_for(int key)
{
	for (size_t i = 0; i < top_pane_kind_count; i++) {
		if (top_pane_kinds[i].key == key)
			return &top_pane_kinds[i];
	}
	return NULL;
}

#define BESIDE_FROM 200 /* columns */

bool top_pane_is_beside(const struct top *t)
{
	return t->canvas.columns >= BESIDE_FROM && top_row_count(t);
}

int top_pane_columns(const struct top *t)
{
	return t->canvas.columns / (top_pane_is_beside(t) ? 2 : 1) - 2;
}

/* --- its command --- */

int top_pane_open(struct top_pane *p, const struct top_pane_kind *kind,
	const struct process_id *ids, size_t count, const char *about, int columns)
{
	const char *words[TOP_PANE_WORDS + TOP_PANE_PROCESSES + 2] = { "sooth" };
	char processes[TOP_PANE_PROCESSES][48], kept[sizeof(p->about)];
	struct process_id own = *ids;
	size_t used = 1;

	for (size_t i = 0; i < TOP_PANE_WORDS && kind->words[i]; i++)
		words[used++] = kind->words[i];
	for (size_t i = 0; i < count && i < TOP_PANE_PROCESSES; i++) {
		snprintf(processes[i], sizeof(processes[i]), "%u@%llu", ids[i].pid,
			(unsigned long long)ids[i].start_ticks);
		words[used++] = processes[i];
	}
	snprintf(kept, sizeof(kept), "%s",
		about); /* `about` may be text of the pane, which is closed next */
	top_pane_close(p);
	p->kind = kind;
	p->id = own;
	memcpy(p->about, kept, sizeof(kept));
	p->text.beginnings = kind->beginnings;
	return kind->words[0] ? top_pane_run(p, words, columns) : 0;
}

int top_pane_run(struct top_pane *p, const char *const *words, int columns)
{
	return pane_text_run(&p->text, words, columns);
}

void top_pane_set_text(struct top_pane *p, const char *text)
{
	pane_text_set(&p->text, text);
}

void top_pane_set_known(struct top_pane *p, const char *claim, const char *remedy)
{
	snprintf(p->known, sizeof(p->known), "%s%s%s", claim, remedy[0] ? ". " : "", remedy);
}

void top_pane_close(struct top_pane *p)
{
	pane_text_fini(&p->text);
	*p = (struct top_pane){ 0 };
}

bool top_pane_step(struct top_pane *p)
{
	return p->kind && pane_text_step(&p->text);
}

/* --- keys --- */

bool top_pane_find(struct top_pane *p)
{
	return pane_text_find(&p->text, p->search);
}

static enum pane_move movement_of_key(int key)
{
	switch (key) {
	case TOP_KEY_UP:
	case 'k':
		return PANE_UP;
	case TOP_KEY_DOWN:
	case 'j':
	case TOP_KEY_ENTER:
		return PANE_DOWN;
	case TOP_KEY_PAGE_UP:
	case 'b':
		return PANE_PAGE_UP;
	case TOP_KEY_PAGE_DOWN:
	case ' ':
		return PANE_PAGE_DOWN;
	case 'g':
	case TOP_KEY_HOME:
		return PANE_FIRST;
	case 'G':
	case TOP_KEY_END:
		return PANE_LAST;
	default:
		return PANE_STAYS;
	}
}

bool top_pane_handle_key(struct top_pane *p, int key)
{
	pane_text_move(&p->text, movement_of_key(key));
	return movement_of_key(key) != PANE_STAYS;
}

/* --- drawing --- */

static void put_title(
	struct top_pane *p, struct canvas_area *in, struct canvas *c, struct canvas_area a)
{
	bool is_running = pane_text_is_running(&p->text);
	char title[400];

	p->text.shown_s = is_running ? pane_text_seconds(&p->text) : 0;
	if (is_running)
		snprintf(title, sizeof(title), "%s: %s  (%s, %llu s)", p->kind->name, p->about,
			p->kind->doing, (unsigned long long)p->text.shown_s);
	else
		snprintf(title, sizeof(title), "%s: %s", p->kind->name, p->about);
	*in = canvas_box(c, a, title);
}

/* Marks the text that is searched for in a row. */
static void mark_found(const struct top_pane *p, struct canvas *c, int y, int x, const char *row)
{
	const char *at = p->search[0] ? strcasestr(row, p->search) : NULL;
	char before[1024];

	if (!at)
		return;
	snprintf(before, sizeof(before), "%.*s", (int)(at - row), row);
	canvas_mark(c, y, x + canvas_width(c, before), canvas_width(c, p->search), TOP_REVERSE);
}

void top_pane_draw(struct top_pane *p, struct canvas *c, struct canvas_area a)
{
	struct pane_text *t = &p->text;
	struct canvas_area in;

	if (a.rows < 3 || a.columns < 4)
		return;
	put_title(p, &in, c, a);
	pane_text_fit(t, c->is_utf8, in.columns, in.rows);
	for (int i = 0; i < in.rows && t->first + (size_t)i < pane_text_rows(t); i++) {
		const char *row = pane_text_row(t, t->first + (size_t)i);

		canvas_put(c, in.y + i, in.x, in.columns, TOP_TEXT, row);
		mark_found(p, c, in.y + i, in.x, row);
	}
	if (!pane_text_rows(t)) {
		canvas_put(c, in.y, in.x, in.columns, TOP_DIM,
			pane_text_is_running(t) ? p->kind->doing : "no output");
		canvas_put_words(c, (struct canvas_area){ in.y + 2, in.x, in.rows - 2, in.columns },
			TOP_TEXT, p->known);
	}
	if (pane_text_rows(t) > (size_t)in.rows)
		canvas_format(c, a.y + a.rows - 1, a.x + 2, a.columns - 4, TOP_DIM,
			" %zu-%zu of %zu ", t->first + 1, t->first + (size_t)in.rows,
			pane_text_rows(t));
}

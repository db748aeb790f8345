/* SPDX-License-Identifier: BSD-2-Clause */
/* Panes. Their text came from a program that reads targets: it is escaped here too. */
#include "cli/top/pane.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/escape.h"
#include "base/units.h"
#include "cli/top/state.h"

#define TEXT_MAX (1u << 20)
#define INDENT	 2 /* of a continued row */

#define KIND(key, name, help, doing, ...)                                                          \
	{                                                                                          \
		key, name, help, doing, { __VA_ARGS__ }, false                                     \
	}
#define OF_SESSION(key, name, help, doing, ...)                                                    \
	{                                                                                          \
		key, name, help, doing, { __VA_ARGS__ }, true                                      \
	}

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
	KIND('c', "calls", "its system calls, counted for 5 s", "counting its system calls for 5 s",
		"trace", "-c", "-d", "5", "-p"),
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
	snprintf(kept, sizeof(kept), "%s", about); /* it may be that of the pane */
	top_pane_close(p);
	p->kind = kind;
	p->id = own;
	memcpy(p->about, kept, sizeof(kept));
	return kind->words[0] ? top_pane_run(p, words, columns) : 0;
}

int top_pane_run(struct top_pane *p, const char *const *words, int columns)
{
	p->start_ns = clock_monotonic_ns();
	p->shown_s = UINT64_MAX;
	return own_command_start(&p->command, words, columns > 1 ? columns : 1);
}

void top_pane_set_text(struct top_pane *p, const char *text)
{
	buffer_reset(&p->text);
	buffer_string(&p->text, text);
	p->columns = 0;
}

void top_pane_close(struct top_pane *p)
{
	own_command_end(&p->command);
	buffer_fini(&p->text);
	buffer_fini(&p->lines);
	buffer_fini(&p->rows);
	*p = (struct top_pane){ 0 };
}

bool top_pane_step(struct top_pane *p)
{
	uint64_t s;

	if (!p->kind || !p->command.pid)
		return false;
	if (own_command_read(&p->command, &p->text)) {
		if (p->text.size > TEXT_MAX) {
			own_command_end(&p->command);
			p->text.size = TEXT_MAX;
			p->is_cut = true;
		}
		p->columns = 0;
		return true;
	}
	s = (clock_monotonic_ns() - p->start_ns) / NS_PER_S;
	return s != p->shown_s;
}

/* --- rows --- */

static size_t row_count(const struct top_pane *p)
{
	return p->rows.size / sizeof(size_t);
}

static const char *row_at(const struct top_pane *p, size_t i)
{
	return (const char *)p->lines.data + ((const size_t *)(const void *)p->rows.data)[i];
}

static void add_line(struct top_pane *p, const struct canvas *c, const char *text, size_t size)
{
	struct buffer escaped = { 0 };
	size_t at = 0;
	int room = p->columns;

	escape_terminal(&escaped, text, size);
	do {
		size_t row = p->lines.size;
		size_t used = canvas_row_of_words(
			c, (const char *)buffer_at(&escaped, at), escaped.size - at, room);

		buffer_append(&p->rows, &row, sizeof(row));
		for (int i = 0; at && i < INDENT; i++)
			buffer_char(&p->lines, ' ');
		buffer_append(&p->lines, buffer_at(&escaped, at), used);
		buffer_char(&p->lines, '\0');
		for (at += used; at < escaped.size && escaped.data[at] == ' ';)
			at++;
		room = p->columns - INDENT;
	} while (at < escaped.size && !buffer_failed(&p->lines) && !buffer_failed(&p->rows));
	buffer_fini(&escaped);
}

static void lay_out(struct top_pane *p, const struct canvas *c, int columns)
{
	const char *text = (const char *)p->text.data;

	p->columns = columns > 2 * INDENT ? columns : 2 * INDENT;
	buffer_reset(&p->lines);
	buffer_reset(&p->rows);
	for (size_t at = 0; at < p->text.size;) {
		const char *end = memchr(text + at, '\n', p->text.size - at);
		size_t size = end ? (size_t)(end - text) - at : p->text.size - at;

		add_line(p, c, text + at, size);
		at += size + 1;
	}
	if (p->is_cut)
		add_line(p, c, "(more is left out)", strlen("(more is left out)"));
}

/* --- keys --- */

static size_t last_first(const struct top_pane *p)
{
	size_t page = p->page > 0 ? (size_t)p->page : 1;

	return row_count(p) > page ? row_count(p) - page : 0;
}

static void scroll_by(struct top_pane *p, long by)
{
	long to = (long)p->first + by;

	p->first = to < 0 ? 0 : (size_t)to < last_first(p) ? (size_t)to : last_first(p);
}

bool top_pane_find(struct top_pane *p)
{
	size_t count = row_count(p);

	for (size_t i = 1; p->search[0] && i <= count; i++) {
		size_t at = (p->first + i) % count;

		if (strcasestr(row_at(p, at), p->search)) {
			p->first = at < last_first(p) ? at : last_first(p);
			return true;
		}
	}
	return false;
}

bool top_pane_take_key(struct top_pane *p, int key)
{
	long page = p->page > 1 ? p->page - 1 : 1;

	switch (key) {
	case TOP_KEY_UP:
	case 'k':
		scroll_by(p, -1);
		return true;
	case TOP_KEY_DOWN:
	case 'j':
	case TOP_KEY_ENTER:
		scroll_by(p, 1);
		return true;
	case TOP_KEY_PAGE_UP:
	case 'b':
		scroll_by(p, -page);
		return true;
	case TOP_KEY_PAGE_DOWN:
	case ' ':
		scroll_by(p, page);
		return true;
	case 'g':
	case TOP_KEY_HOME:
		p->first = 0;
		return true;
	case 'G':
	case TOP_KEY_END:
		p->first = last_first(p);
		return true;
	default:
		return false;
	}
}

/* --- drawing --- */

static void put_title(
	struct top_pane *p, struct canvas_area *in, struct canvas *c, struct canvas_area a)
{
	char title[400];

	p->shown_s = p->command.pid ? (clock_monotonic_ns() - p->start_ns) / NS_PER_S : 0;
	if (p->command.pid)
		snprintf(title, sizeof(title), "%s: %s  (%s, %llu s)", p->kind->name, p->about,
			p->kind->doing, (unsigned long long)p->shown_s);
	else
		snprintf(title, sizeof(title), "%s: %s", p->kind->name, p->about);
	*in = canvas_box(c, a, title);
}

/* Where the text that is searched stands in a row. */
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
	struct canvas_area in;

	if (a.rows < 3 || a.columns < 4)
		return;
	put_title(p, &in, c, a);
	if (p->columns != in.columns)
		lay_out(p, c, in.columns);
	p->page = in.rows;
	if (p->first > last_first(p))
		p->first = last_first(p);
	for (int i = 0; i < in.rows && p->first + (size_t)i < row_count(p); i++) {
		const char *row = row_at(p, p->first + (size_t)i);

		canvas_put(c, in.y + i, in.x, in.columns, TOP_TEXT, row);
		mark_found(p, c, in.y + i, in.x, row);
	}
	if (!row_count(p))
		canvas_put(c, in.y, in.x, in.columns, TOP_DIM,
			p->command.pid ? p->kind->doing : "no output");
	if (row_count(p) > (size_t)in.rows)
		canvas_format(c, a.y + a.rows - 1, a.x + 2, a.columns - 4, TOP_DIM,
			" %zu-%zu of %zu ", p->first + 1, p->first + (size_t)in.rows, row_count(p));
}

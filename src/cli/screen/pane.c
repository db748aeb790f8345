/* SPDX-License-Identifier: BSD-2-Clause */
/* The pane of a screen. Its text came from a program that reads targets: it is escaped here too. */
#include "cli/screen/pane.h"

#include <curses.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/units.h"
#include "cli/screen/screen_state.h"

#define WORDS_MAX  10
#define TEXT_MAX   (1u << 20)
#define INDENT	   2 /* of a continued row */
#define BESIDE	   2 /* rows of title and foot */
#define NO_SECONDS UINT64_MAX

/* --- its command --- */

bool pane_is_open(const struct pane *p)
{
	return p->pick.key != NULL;
}

static bool is_running(const struct pane *p)
{
	return p->command.pid != 0;
}

int pane_open(struct pane *p, const struct screen_pick *pick)
{
	const char *words[WORDS_MAX] = { "sooth" };
	char process[48];
	size_t count = 1;
	int used = 0, status;
	struct screen_pick kept = *pick; /* it may be that of the pane */

	pane_close(p);
	for (const char *const *word = kept.key->command; *word && count + 2 < WORDS_MAX; word++)
		words[count++] = *word;
	snprintf(process, sizeof(process), "%u@%llu", kept.pid,
		(unsigned long long)kept.start_ticks);
	words[count] = process;
	status = own_command_start(&p->command, words, COLS);
	if (status)
		return status;
	for (size_t i = 0; i < count; i++)
		used += snprintf(p->title + used, sizeof(p->title) - (size_t)used, "%s ", words[i]);
	snprintf(p->title + used, sizeof(p->title) - (size_t)used, "%u", kept.pid);
	p->pick = kept;
	p->start_ns = clock_monotonic_ns();
	p->shown_s = NO_SECONDS;
	return 0;
}

void pane_close(struct pane *p)
{
	if (!pane_is_open(p))
		return;
	own_command_end(&p->command);
	buffer_fini(&p->text);
	buffer_fini(&p->chars);
	buffer_fini(&p->rows);
	*p = (struct pane){ 0 };
}

/* --- from the text to rows --- */

static size_t row_count(const struct pane *p)
{
	return p->rows.size / sizeof(size_t);
}

static const wchar_t *row_at(const struct pane *p, size_t i)
{
	return (const wchar_t *)(const void *)p->chars.data +
	       ((const size_t *)(const void *)p->rows.data)[i];
}

static void add_char(struct pane *p, wchar_t c)
{
	buffer_append(&p->chars, &c, sizeof(c));
}

/* Bytes that this locale cannot read stand as "?". */
static void add_chars(struct pane *p, const char *text, size_t size)
{
	mbstate_t state = { 0 };
	size_t used;

	for (size_t at = 0; at < size; at += used) {
		wchar_t c;

		used = mbrtowc(&c, text + at, size - at, &state);
		if (used == (size_t)-1 || used == (size_t)-2 || !used) {
			state = (mbstate_t){ 0 };
			c = L'?';
			used = 1;
		}
		add_char(p, c);
	}
	add_char(p, L'\0');
}

static void add_rows(struct pane *p, size_t line)
{
	const wchar_t *all = (const wchar_t *)(const void *)p->chars.data, *at = all + line;
	int room = p->columns;

	do {
		size_t row = (size_t)(at - all);

		buffer_append(&p->rows, &row, sizeof(row));
		at += screen_row_of_words(at, room);
		while (*at == L' ')
			at++;
		room = p->columns - INDENT;
	} while (*at);
}

static void add_line(struct pane *p, const char *text, size_t size)
{
	size_t line = p->chars.size / sizeof(wchar_t);
	struct buffer escaped = { 0 };

	escape_terminal(&escaped, text, size);
	add_chars(p, (const char *)escaped.data, escaped.size);
	buffer_fini(&escaped);
	if (!buffer_failed(&p->chars))
		add_rows(p, line);
}

static void lay_out(struct pane *p)
{
	const char *text = (const char *)p->text.data;

	p->columns = COLS > 2 * INDENT ? COLS : 2 * INDENT;
	buffer_reset(&p->chars);
	buffer_reset(&p->rows);
	for (size_t at = 0; at < p->text.size;) {
		const char *end = memchr(text + at, '\n', p->text.size - at);
		size_t size = end ? (size_t)(end - text) - at : p->text.size - at;

		add_line(p, text + at, size);
		at += size + 1;
	}
	if (p->is_cut)
		add_line(p, "(more is left out)", strlen("(more is left out)"));
}

bool pane_step(struct pane *p)
{
	uint64_t s;

	if (!pane_is_open(p) || !is_running(p))
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

/* --- keys --- */

static size_t window(void)
{
	return LINES > BESIDE ? (size_t)(LINES - BESIDE) : 1;
}

static size_t last_top(const struct pane *p)
{
	return row_count(p) > window() ? row_count(p) - window() : 0;
}

static void scroll_by(struct pane *p, long by)
{
	long to = (long)p->top + by;

	p->top = to < 0 ? 0 : (size_t)to < last_top(p) ? (size_t)to : last_top(p);
}

bool pane_take_key(struct pane *p, int key)
{
	long page = window() > 1 ? (long)window() - 1 : 1;

	switch (key) {
	case KEY_UP:
	case 'k':
		scroll_by(p, -1);
		return true;
	case KEY_DOWN:
	case 'j':
	case '\r':
	case '\n':
	case KEY_ENTER:
		scroll_by(p, 1);
		return true;
	case KEY_PPAGE:
		scroll_by(p, -page);
		return true;
	case KEY_NPAGE:
	case ' ':
		scroll_by(p, page);
		return true;
	case 'g':
	case KEY_HOME:
		p->top = 0;
		return true;
	case 'G':
	case KEY_END:
		p->top = last_top(p);
		return true;
	default:
		return false;
	}
}

/* --- drawing --- */

static void put_title(struct pane *p)
{
	char text[256];

	p->shown_s = (clock_monotonic_ns() - p->start_ns) / NS_PER_S;
	if (is_running(p))
		snprintf(text, sizeof(text), "%s  running for %llu s", p->title,
			(unsigned long long)p->shown_s);
	else
		snprintf(text, sizeof(text), "%s", p->title);
	attrset(A_BOLD);
	screen_put(0, 0, COLS, text);
	attrset(A_NORMAL);
}

static void put_rows(const struct pane *p)
{
	for (size_t i = p->top; i < row_count(p) && i < p->top + window(); i++) {
		const wchar_t *row = row_at(p, i);
		bool continues = row > (const wchar_t *)(const void *)p->chars.data && row[-1];
		int x = continues ? INDENT : 0;

		mvaddnwstr(1 + (int)(i - p->top), x, row,
			(int)screen_row_of_words(row, p->columns - x));
	}
}

static void put_state(const struct pane *p)
{
	char text[160];

	if (is_running(p))
		snprintf(text, sizeof(text), "%s %u...", p->pick.key->doing, p->pick.pid);
	else
		snprintf(text, sizeof(text), "%s: no output", p->title);
	screen_put(1, 0, COLS, text);
}

static void put_foot(const struct pane *p, const char *message)
{
	char text[256];
	size_t last = p->top + window() < row_count(p) ? p->top + window() : row_count(p);

	if (message[0])
		snprintf(text, sizeof(text), "%s", message);
	else
		snprintf(text, sizeof(text),
			"%zu-%zu of %zu  q back  up, down, page up, page down, g, G scroll  "
			"r again",
			row_count(p) ? p->top + 1 : 0, last, row_count(p));
	attrset(A_REVERSE);
	mvhline(LINES - 1, 0, ' ', COLS);
	screen_put(LINES - 1, 0, COLS, text);
	attrset(A_NORMAL);
}

void pane_draw(struct pane *p, const char *message)
{
	if (p->columns != COLS)
		lay_out(p);
	if (p->top > last_top(p))
		p->top = last_top(p);
	erase();
	put_title(p);
	if (row_count(p))
		put_rows(p);
	else if (LINES > BESIDE)
		put_state(p);
	if (LINES > 1)
		put_foot(p, message);
	refresh();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes rows of the text of a command. */
#include "cli/screen/pane_text.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/units.h"
#include "cli/screen/text_width.h"

#define TEXT_MAX (1u << 20)
#define INDENT	 2 /* columns that a continued row is indented */
#define LEFT_OUT "(more is left out)"

/* --- its command --- */

int pane_text_run(struct pane_text *p, const char *const *words, int columns)
{
	assert(p);
	p->start_ns = clock_monotonic_ns();
	p->shown_s = UINT64_MAX;
	return own_command_start(&p->command, words, columns > 1 ? columns : 1);
}

bool pane_text_is_running(const struct pane_text *p)
{
	assert(p);
	return p->command.pid != 0;
}

uint64_t pane_text_seconds(const struct pane_text *p)
{
	assert(p);
	return (clock_monotonic_ns() - p->start_ns) / NS_PER_S;
}

/* Returns whether a row begins with the words, whatever the blanks: "CALL CALLS" and "CALL
 * CALLS". */
static bool begins_with(const char *row, size_t size, const char *words)
{
	size_t at = 0;

	for (; *words; words++) {
		if (at == size || row[at] != *words)
			return false;
		at++;
		while (*words == ' ' && at < size && row[at] == ' ')
			at++;
	}
	return true;
}

static bool is_beginning_of_text(const struct pane_text *p, const char *row, size_t size)
{
	for (const char *const *words = p->beginnings; *words; words++) {
		if (begins_with(row, size, *words))
			return true;
	}
	return false;
}

/* Drops the text before the last beginning: it is old. */
static void drop_older(struct pane_text *p)
{
	const char *text = (const char *)p->text.data, *end;
	size_t begin = 0;

	for (size_t at = p->looked;
		at < p->text.size && (end = memchr(text + at, '\n', p->text.size - at));
		at = p->looked) {
		if (is_beginning_of_text(p, text + at, (size_t)(end - text) - at))
			begin = at;
		p->looked = (size_t)(end - text) + 1;
	}
	buffer_consume(&p->text, begin);
	p->looked -= begin;
}

bool pane_text_step(struct pane_text *p)
{
	assert(p);
	if (!pane_text_is_running(p))
		return false;
	if (!own_command_read(&p->command, &p->text))
		return pane_text_seconds(p) != p->shown_s;
	if (p->beginnings)
		drop_older(p);
	if (p->text.size > TEXT_MAX) {
		own_command_end(&p->command);
		p->text.size = TEXT_MAX;
		p->is_cut = true;
	}
	p->columns = 0;
	return true;
}

void pane_text_set(struct pane_text *p, const char *text)
{
	assert(p);
	buffer_reset(&p->text);
	buffer_string(&p->text, text);
	p->columns = 0;
}

void pane_text_fini(struct pane_text *p)
{
	assert(p);
	own_command_end(&p->command);
	buffer_fini(&p->text);
	buffer_fini(&p->lines);
	buffer_fini(&p->rows);
	*p = (struct pane_text){ 0 };
}

/* --- rows --- */

size_t pane_text_rows(const struct pane_text *p)
{
	assert(p);
	return p->rows.size / sizeof(size_t);
}

const char *pane_text_row(const struct pane_text *p, size_t i)
{
	assert(p);
	return (const char *)p->lines.data + ((const size_t *)(const void *)p->rows.data)[i];
}

static void add_line(struct pane_text *p, bool is_utf8, const char *text, size_t size)
{
	struct buffer escaped = { 0 };
	size_t at = 0;
	int room = p->columns;

	escape_terminal(&escaped, text, size);
	do {
		size_t row = p->lines.size;
		size_t used = text_row_of_words(
			is_utf8, (const char *)buffer_at(&escaped, at), escaped.size - at, room);

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

static void wrap_lines(struct pane_text *p, bool is_utf8)
{
	const char *text = (const char *)p->text.data;

	buffer_reset(&p->lines);
	buffer_reset(&p->rows);
	for (size_t at = 0; at < p->text.size;) {
		const char *end = memchr(text + at, '\n', p->text.size - at);
		size_t size = end ? (size_t)(end - text) - at : p->text.size - at;

		add_line(p, is_utf8, text + at, size);
		at += size + 1;
	}
	if (p->is_cut)
		add_line(p, is_utf8, LEFT_OUT, strlen(LEFT_OUT));
}

static size_t last_first_row(const struct pane_text *p)
{
	size_t page = p->page > 0 ? (size_t)p->page : 1;

	return pane_text_rows(p) > page ? pane_text_rows(p) - page : 0;
}

void pane_text_fit(struct pane_text *p, bool is_utf8, int columns, int rows)
{
	assert(p);
	columns = columns > 2 * INDENT ? columns : 2 * INDENT;
	p->page = rows;
	if (p->columns != columns) {
		p->columns = columns;
		wrap_lines(p, is_utf8);
	}
	if (p->first > last_first_row(p))
		p->first = last_first_row(p);
}

/* --- moving --- */

static void scroll_by(struct pane_text *p, long by)
{
	long to = (long)p->first + by;

	p->first = to < 0 ? 0 : (size_t)to < last_first_row(p) ? (size_t)to : last_first_row(p);
}

void pane_text_move(struct pane_text *p, enum pane_move move)
{
	assert(p);

	long page = p->page > 1 ? p->page - 1 : 1;

	switch (move) {
	case PANE_UP:
	case PANE_DOWN:
		scroll_by(p, move == PANE_UP ? -1 : 1);
		break;
	case PANE_PAGE_UP:
	case PANE_PAGE_DOWN:
		scroll_by(p, move == PANE_PAGE_UP ? -page : page);
		break;
	case PANE_FIRST:
		p->first = 0;
		break;
	case PANE_LAST:
		p->first = last_first_row(p);
		break;
	case PANE_STAYS:
		break;
	}
}

bool pane_text_find(struct pane_text *p, const char *searched)
{
	assert(p);

	size_t count = pane_text_rows(p);

	for (size_t i = 1; searched[0] && i <= count; i++) {
		size_t at = (p->first + i) % count;

		if (strcasestr(pane_text_row(p, at), searched)) {
			p->first = at < last_first_row(p) ? at : last_first_row(p);
			return true;
		}
	}
	return false;
}

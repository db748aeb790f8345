/* SPDX-License-Identifier: BSD-2-Clause */
/* The pane of a screen. */
#include "cli/screen/pane.h"

#include <curses.h>
#include <stdio.h>

#include "cli/screen/screen_state.h"
#include "cli/screen/text_width.h"

#define WORDS_MAX 10
#define BESIDE	  2 /* rows of title and foot */

bool pane_is_open(const struct pane *p)
{
	return p->pick.key != NULL;
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
	status = pane_text_run(&p->text, words, COLS);
	if (status)
		return status;
	for (size_t i = 0; i < count; i++)
		used += snprintf(p->title + used, sizeof(p->title) - (size_t)used, "%s ", words[i]);
	snprintf(p->title + used, sizeof(p->title) - (size_t)used, "%u", kept.pid);
	p->pick = kept;
	return 0;
}

void pane_close(struct pane *p)
{
	pane_text_end(&p->text);
	*p = (struct pane){ 0 };
}

bool pane_step(struct pane *p)
{
	return pane_is_open(p) && pane_text_step(&p->text);
}

/* --- keys --- */

static enum pane_move move_of(int key)
{
	switch (key) {
	case KEY_UP:
	case 'k':
		return PANE_UP;
	case KEY_DOWN:
	case 'j':
	case '\r':
	case '\n':
	case KEY_ENTER:
		return PANE_DOWN;
	case KEY_PPAGE:
		return PANE_PAGE_UP;
	case KEY_NPAGE:
	case ' ':
		return PANE_PAGE_DOWN;
	case 'g':
	case KEY_HOME:
		return PANE_FIRST;
	case 'G':
	case KEY_END:
		return PANE_LAST;
	default:
		return PANE_STAYS;
	}
}

bool pane_take_key(struct pane *p, int key)
{
	pane_text_move(&p->text, move_of(key));
	return move_of(key) != PANE_STAYS;
}

/* --- drawing --- */

static void put_title(struct pane *p)
{
	char text[256];

	p->text.shown_s = pane_text_seconds(&p->text);
	if (pane_text_is_running(&p->text))
		snprintf(text, sizeof(text), "%s  running for %llu s", p->title,
			(unsigned long long)p->text.shown_s);
	else
		snprintf(text, sizeof(text), "%s", p->title);
	attrset(A_BOLD);
	screen_put(0, 0, COLS, text);
	attrset(A_NORMAL);
}

static void put_rows(const struct pane *p, size_t window)
{
	for (size_t i = 0; i < window && p->text.first + i < pane_text_rows(&p->text); i++)
		screen_put(1 + (int)i, 0, COLS, pane_text_row(&p->text, p->text.first + i));
}

static void put_state(const struct pane *p)
{
	char text[160];

	if (pane_text_is_running(&p->text))
		snprintf(text, sizeof(text), "%s %u...", p->pick.key->doing, p->pick.pid);
	else
		snprintf(text, sizeof(text), "%s: no output", p->title);
	screen_put(1, 0, COLS, text);
}

static void put_foot(const struct pane *p, size_t window, const char *message)
{
	char text[256];
	size_t count = pane_text_rows(&p->text), first = p->text.first;

	if (message[0])
		snprintf(text, sizeof(text), "%s", message);
	else
		snprintf(text, sizeof(text),
			"%zu-%zu of %zu  q back  up, down, page up, page down, g, G scroll  "
			"r again",
			count ? first + 1 : 0, first + window < count ? first + window : count,
			count);
	attrset(A_REVERSE);
	mvhline(LINES - 1, 0, ' ', COLS);
	screen_put(LINES - 1, 0, COLS, text);
	attrset(A_NORMAL);
}

void pane_draw(struct pane *p, const char *message)
{
	int window = LINES > BESIDE ? LINES - BESIDE : 1;

	pane_text_fit(&p->text, text_is_utf8(), COLS, window);
	erase();
	put_title(p);
	if (pane_text_rows(&p->text))
		put_rows(p, (size_t)window);
	else if (LINES > BESIDE)
		put_state(p);
	if (LINES > 1)
		put_foot(p, (size_t)window, message);
	refresh();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What keys do to a screen. */
#include <curses.h>
#include <string.h>

#include "cli/screen/screen_state.h"
#include "model/batch.h"

#define RUBOUT 127
#define BACK   8

/* --- rows --- */

static void pick_row(struct screen *s, size_t row)
{
	size_t count = screen_row_count(s);

	if (!count)
		return;
	s->picked = row < count ? row : count - 1;
	s->picked_key = screen_row_at(s, s->picked)->key;
}

static void move_pick(struct screen *s, long by)
{
	long to = (long)s->picked + by;

	pick_row(s, to < 0 ? 0 : (size_t)to);
}

static void fold(struct screen *s)
{
	struct screen_row *row;

	if (!screen_row_count(s) || !s->is_tree)
		return;
	row = screen_row_at(s, s->picked);
	if (!map_remove(&s->folded, &row->key) && row->has_below)
		map_put(&s->folded, &row->key, NULL);
	screen_arrange(s);
}

/* --- order --- */

static void sort_by(struct screen *s, int step)
{
	const struct screen_table *t = screen_table(s);
	const char *sort;
	size_t at = 0;
	bool is_ascending;

	if (!t || !t->column_count)
		return;
	sort = screen_sort(s, t, &is_ascending);
	while (sort && at < t->column_count && strcmp(t->columns[at]->name, sort))
		at++;
	if (!sort || at == t->column_count)
		at = step > 0 ? 0 : t->column_count - 1;
	else
		at = (at + t->column_count + (size_t)step) % t->column_count;
	s->sort = t->columns[at]->name;
	/* Numbers descending, texts ascending. */
	s->is_ascending = t->columns[at]->type == SOOTH_FIELD_TEXT ||
			  t->columns[at]->type == SOOTH_FIELD_ARGS;
	screen_arrange(s);
}

static void reverse(struct screen *s)
{
	const struct screen_table *t = screen_table(s);
	bool is_ascending;

	if (!t)
		return;
	s->sort = screen_sort(s, t, &is_ascending);
	s->is_ascending = !is_ascending;
	screen_arrange(s);
}

static void next_table(struct screen *s)
{
	struct screen_frame *f = screen_current(s);

	s->table = f->table_count ? (s->table + 1) % f->table_count : 0;
	s->picked = s->top = s->first_column = 0;
	s->sort = NULL;
	memset(s->widths, 0, sizeof(s->widths));
	screen_arrange(s);
}

/* The columns of a tree may differ. */
static void change_tree(struct screen *s)
{
	s->is_tree = !s->is_tree;
	memset(s->widths, 0, sizeof(s->widths));
	screen_arrange(s);
}

static void scroll_columns(struct screen *s, int by)
{
	const struct screen_table *t = screen_table(s);

	if (by > 0 && t && s->first_column + 1 < t->column_count)
		s->first_column++;
	else if (by < 0 && s->first_column)
		s->first_column--;
}

/* --- filter --- */

static void take_filter_key(struct screen *s, int key)
{
	size_t size = strlen(s->filter);

	if (key == SCREEN_ESCAPE) {
		s->filter[0] = '\0';
		s->is_asking = false;
	} else if (key == '\r' || key == '\n' || key == KEY_ENTER) {
		s->is_asking = false;
	} else if (key == KEY_BACKSPACE || key == RUBOUT || key == BACK) {
		/* A whole character of several bytes. */
		while (size && ((unsigned char)s->filter[size - 1] & 0xc0) == 0x80)
			size--;
		s->filter[size ? size - 1 : 0] = '\0';
	} else if (key >= ' ' && key < 256 && size + 1 < sizeof(s->filter)) {
		s->filter[size] = (char)key;
		s->filter[size + 1] = '\0';
	}
	screen_arrange(s);
}

/* --- the whole --- */

static void open_pane(struct screen *s, const struct screen_pick *pick)
{
	if (pane_open(&s->pane, pick))
		snprintf(s->message, sizeof(s->message), "no process could be started");
}

static enum screen_wish run_key(struct screen *s, int key, struct screen_pick *pick)
{
	const struct screen_row *row;

	if (!screen_row_count(s))
		return SCREEN_GO_ON;
	row = screen_row_at(s, s->picked);
	for (const struct screen_key *k = s->options.keys; k && k->key; k++) {
		if (k->key != key)
			continue;
		if (row->mark == SCREEN_MARK_GONE || !row->record->pid) {
			snprintf(s->message, sizeof(s->message), "%s",
				row->record->pid ? "the process of this row has exited"
						 : "this row is not about one process");
			return SCREEN_GO_ON;
		}
		*pick = (struct screen_pick){ k, row->record->pid, row->record->start_ticks };
		if (!k->doing)
			return SCREEN_RUN;
		open_pane(s, pick);
		return SCREEN_GO_ON;
	}
	return SCREEN_GO_ON;
}

static void hold(struct screen *s)
{
	s->is_held = !s->is_held;
}

static void take_plain_key(struct screen *s, int key)
{
	int page = LINES > 6 ? LINES - 6 : 1;

	switch (key) {
	case KEY_UP:
	case KEY_DOWN:
		move_pick(s, key == KEY_UP ? -1 : 1);
		break;
	case KEY_PPAGE:
	case KEY_NPAGE:
		move_pick(s, key == KEY_PPAGE ? -page : page);
		break;
	case KEY_HOME:
	case KEY_END:
		pick_row(s, key == KEY_HOME ? 0 : SCREEN_ROWS_MAX);
		break;
	case KEY_LEFT:
	case KEY_RIGHT:
		scroll_columns(s, key == KEY_LEFT ? -1 : 1);
		break;
	case KEY_RESIZE:
		memset(s->widths, 0, sizeof(s->widths));
		clearok(curscr, TRUE);
		break;
	case 's':
	case 'S':
		sort_by(s, key == 's' ? 1 : -1);
		break;
	case 'r':
		reverse(s);
		break;
	case 't':
		change_tree(s);
		break;
	case '\r':
	case '\n':
	case KEY_ENTER:
		fold(s);
		break;
	case '\t':
		next_table(s);
		break;
	case '/':
		s->is_asking = true;
		break;
	case SCREEN_ESCAPE:
		s->filter[0] = '\0';
		screen_arrange(s);
		break;
	case ' ':
		hold(s);
		break;
	case 'h':
	case '?':
		s->help_page = 1;
		break;
	}
}

static void turn_help(struct screen *s, int key)
{
	if (key == KEY_RESIZE) {
		s->help_page = 1;
		take_plain_key(s, key);
	} else if (s->has_more_help && key != SCREEN_ESCAPE && key != 'q') {
		s->help_page++;
	} else {
		s->help_page = 0;
	}
}

/* The keys of other panes show the same process in them. */
static void take_pane_key(struct screen *s, int key)
{
	struct screen_pick pick = s->pane.pick;

	if (key == 'q' || key == SCREEN_ESCAPE) {
		pane_close(&s->pane);
		return;
	}
	if (key == KEY_RESIZE) {
		take_plain_key(s, key);
		return;
	}
	if (pane_take_key(&s->pane, key))
		return;
	for (const struct screen_key *k = s->options.keys; k->key; k++) {
		if (k->doing && k->key == key)
			pick.key = k;
	}
	if (key == 'r' || pick.key != s->pane.pick.key)
		open_pane(s, &pick);
}

enum screen_wish screen_take_key(struct screen *s, int key, struct screen_pick *pick)
{
	enum screen_wish wish;

	s->message[0] = '\0';
	if (s->is_asking && key != KEY_RESIZE) {
		take_filter_key(s, key);
		return SCREEN_GO_ON;
	}
	if (s->help_page) {
		turn_help(s, key);
		return SCREEN_GO_ON;
	}
	if (pane_is_open(&s->pane)) {
		take_pane_key(s, key);
		return SCREEN_GO_ON;
	}
	if (key == 'q')
		return SCREEN_END;
	wish = run_key(s, key, pick);
	if (wish == SCREEN_GO_ON)
		take_plain_key(s, key);
	return wish;
}

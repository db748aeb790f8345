/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking and returning the terminal, and reading keys. */
#include <curses.h>
#include <string.h>

#include "cli/screen/screen_state.h"
#include "model/batch.h"

#define RUBOUT 127
#define BACK   8

/* --- what keys do --- */

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
		at = step > 0 ? t->column_count - 1 : 0;
	/* By what is on display only. */
	for (size_t i = 0; i < t->column_count; i++) {
		at = (at + t->column_count + (size_t)step) % t->column_count;
		if (!s->is_left_out[at])
			break;
	}
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

/* Typed text that the screen understands. */
static enum screen_wish screen_take_key(struct screen *s, int key, struct screen_pick *pick)
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

/* --- the screen --- */

#include "cli/screen/screen.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "cli/screen/screen_colors.h"
#include "cli/screen/screen_state.h"
#include "cli/terminal/stop.h"

/* The byte that ends a sequence which begins with ESC and a bracket (ECMA-48). */
#define FINAL_FIRST 0x40
#define FINAL_LAST  0x7e

static void set_colors(const struct screen *s)
{
	if (!s->options.use_color || !has_colors())
		return;
	start_color();
	use_default_colors();
	init_pair(SCREEN_COLOR_LOOK, COLOR_YELLOW, -1);
	init_pair(SCREEN_COLOR_WORRY, COLOR_MAGENTA, -1);
	init_pair(SCREEN_COLOR_ALARM, COLOR_RED, -1);
	init_pair(SCREEN_COLOR_NEW, COLOR_GREEN, -1);
}

static void set_terminal(void)
{
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(50);
	/* As sent by terminals in their other mode. */
	define_key("\033[H", KEY_HOME);
	define_key("\033[F", KEY_END);
	curs_set(0);
}

int screen_open(struct screen **out, const struct screen_options *options, struct sooth_error *err)
{
	struct screen *s = calloc(1, sizeof(*s));

	if (!s)
		return error_no_memory(err);
	s->options = *options;
	s->is_tree = options->is_tree;
	map_init(&s->folded, sizeof(uint64_t), 0, SCREEN_ROWS_MAX);
	s->terminal = newterm(NULL, options->out, options->in);
	if (!s->terminal) {
		map_fini(&s->folded);
		free(s);
		error_set(err, -ENOTTY, SOOTH_FAULT_UNSUPPORTED, "draw on this terminal");
		error_why(err,
			"the variable TERM names a terminal type that this system does not know");
		return error_remedy(
			err, "set TERM, e.g. export TERM=xterm, or pipe the output through cat");
	}
	set_term(s->terminal);
	set_colors(s);
	set_terminal();
	*out = s;
	return 0;
}

/* A closed terminal returns the end of file for ever. */
static bool is_gone(const struct screen *s)
{
	struct pollfd in = { .fd = fileno(s->options.in), .events = POLLIN };

	return poll(&in, 1, 0) > 0 && in.revents & (POLLHUP | POLLERR | POLLNVAL);
}

/* A key that ncurses does not know: its bytes are no separate keys. */
static void skip_sequence(int key)
{
	if (key != '[') /* Alt and a letter, or SS3 and one */
		key = key == 'O' ? getch() : ERR;
	else
		do
			key = getch();
		while (key != ERR && (key < FINAL_FIRST || key > FINAL_LAST));
}

static int next_key(void)
{
	int key = getch(), behind;

	while (key == SCREEN_ESCAPE && (behind = getch()) != ERR) {
		skip_sequence(behind);
		key = getch();
	}
	return key;
}

enum screen_wish screen_step(struct screen *s, struct screen_pick *pick)
{
	enum screen_wish wish = SCREEN_GO_ON;
	bool is_touched = s->is_new;
	int key;

	if (is_gone(s))
		return SCREEN_END;
	if (s->is_new)
		screen_arrange(s);
	s->is_new = false;
	while (wish == SCREEN_GO_ON && (key = next_key()) != ERR) {
		wish = screen_take_key(s, key, pick);
		is_touched = true;
	}
	if (pane_step(&s->pane))
		is_touched = true;
	if (is_touched && wish == SCREEN_GO_ON)
		screen_draw(s);
	return wish;
}

void screen_leave(struct screen *s)
{
	(void)s;
	def_prog_mode();
	endwin();
}

void screen_return(struct screen *s)
{
	reset_prog_mode();
	curs_set(0);
	clearok(curscr, TRUE);
	screen_draw(s);
}

void screen_emit(struct screen *s, const char *text)
{
	snprintf(s->message, sizeof(s->message), "%s", text);
	screen_draw(s);
}

void screen_close(struct screen *s)
{
	const struct buffer *lines;

	if (!s)
		return;
	pane_close(&s->pane);
	/* The next output appears there, where a terminal has one screen only. */
	move(LINES - 1, 0);
	clrtoeol();
	refresh();
	endwin();
	delscreen(s->terminal);
	lines = &screen_current(s)->lines;
	for (size_t at = 0; at < lines->size && !screen_current(s)->table_count;) {
		fprintf(s->options.out, "%s\n", (const char *)lines->data + at);
		at += strlen((const char *)lines->data + at) + 1;
	}
	for (size_t i = 0; i < SCREEN_FRAMES; i++) {
		for (size_t k = 0; k < SCREEN_TABLES_MAX; k++) {
			buffer_fini(&s->frames[i].tables[k].records);
			buffer_fini(&s->frames[i].trees[k].records);
		}
		buffer_fini(&s->frames[i].lines);
	}
	buffer_fini(&s->rows);
	map_fini(&s->folded);
	free(s);
}

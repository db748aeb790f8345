/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking and returning the terminal, and reading keys. */
#define NCURSES_WIDECHAR 1
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

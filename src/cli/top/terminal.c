/* SPDX-License-Identifier: BSD-2-Clause */
/* The terminal, by ncurses: it sends differences only, so nothing flickers. */
#define NCURSES_WIDECHAR 1
#include "cli/top/terminal.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ESCAPE_MS   50
#define RUN_MAX	    256 /* characters of one style that are sent at once */
#define PAIR(s, p)  ((int)(s)*2 + ((p) ? 1 : 0) + 1)
#define FINAL_FIRST 0x40 /* the byte that ends a sequence which begins with ESC [ (ECMA-48) */
#define FINAL_LAST  0x7e
#define MANY_COLORS 256
#define WHEEL_UP    BUTTON4_PRESSED
#define WHEEL_DOWN  BUTTON5_PRESSED

struct terminal {
	SCREEN *screen;
	FILE *in, *out;
	bool may_color;
	const struct theme *theme;
	bool has_colors; /* the current theme uses colors */
};

static void prepare_terminal(void)
{
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	/* As sent by terminals in their other mode. */
	define_key("\033[A", KEY_UP);
	define_key("\033[B", KEY_DOWN);
	define_key("\033[C", KEY_RIGHT);
	define_key("\033[D", KEY_LEFT);
	define_key("\033[H", KEY_HOME);
	define_key("\033[F", KEY_END);
	curs_set(0);
	mousemask(
		BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON1_DOUBLE_CLICKED | WHEEL_UP | WHEEL_DOWN,
		NULL);
	mouseinterval(0);
}

static int refuse_terminal(const char *why, struct sooth_error *err)
{
	error_set(err, -ENOTTY, SOOTH_FAULT_UNSUPPORTED, "draw on this terminal");
	error_why(err, "the variable TERM names a terminal type that %s", why);
	return error_remedy(err, "set TERM, e.g. export TERM=xterm");
}

/* Returns whether the terminal can move its cursor: not a type such as dumb. */
static bool has_cursor(void)
{
	const char *address = tigetstr("cup");

	return address && address != (const char *)-1;
}

int terminal_open(
	struct terminal **out, FILE *in, FILE *stream, bool use_color, struct sooth_error *err)
{
	struct terminal *t = calloc(1, sizeof(*t));

	if (!t)
		return error_no_memory(err);
	t->in = in;
	t->out = stream;
	t->screen = newterm(NULL, stream, in);
	/* The newest terminals are not in the list of an older system, and all are like this one.
	 */
	if (!t->screen && getenv("TERM") && *getenv("TERM"))
		t->screen = newterm("xterm-256color", stream, in);
	if (!t->screen) {
		free(t);
		return refuse_terminal("this system does not know", err);
	}
	set_term(t->screen);
	if (!has_cursor()) {
		endwin();
		delscreen(t->screen);
		free(t);
		return refuse_terminal("cannot move its cursor", err);
	}
	t->may_color = use_color && has_colors();
	if (t->may_color) {
		start_color();
		use_default_colors();
	}
	prepare_terminal();
	*out = t;
	return 0;
}

void terminal_close(struct terminal *t)
{
	if (!t)
		return;
	move(LINES - 1, 0);
	clrtoeol();
	refresh();
	endwin();
	delscreen(t->screen);
	free(t);
}

/* --- colors --- */

/* Returns the number of a color. On a direct color terminal it is the red, green and blue. */
static int color_of(uint32_t rgb, uint8_t basic)
{
	if (COLORS > MANY_COLORS)
		return rgb == THEME_NO_COLOR ? -1 : (int)rgb;
	if (COLORS == MANY_COLORS)
		return rgb == THEME_NO_COLOR ? -1 : theme_nearest(rgb);
	return basic > COLOR_WHITE ? -1 : basic;
}

void terminal_set_theme(struct terminal *t, const struct theme *theme)
{
	int picked = color_of(theme->picked_rgb, theme->picked_basic);

	t->theme = theme;
	t->has_colors = t->may_color && theme->has_colors && COLOR_PAIRS > 2 * TOP_STYLES;
	for (int s = 0; t->has_colors && s < TOP_STYLES; s++) {
		int color = color_of(theme->looks[s].rgb, theme->looks[s].basic);

		init_extended_pair(PAIR(s, false), color, -1);
		/* On eight colors the text of a style may be as dark as the background. */
		init_extended_pair(
			PAIR(s, true), COLORS < MANY_COLORS ? COLOR_WHITE : color, picked);
	}
}

static void set_style(const struct terminal *t, const struct canvas_cell *cell)
{
	uint8_t attributes = cell->attributes;
	int pair = 0;
	attr_t result = A_NORMAL;

	if (t->has_colors)
		pair = PAIR(cell->style, attributes & TOP_PICKED);
	else
		attributes |= t->theme->has_colors ? 0 : t->theme->looks[cell->style].attributes;
	if (!t->has_colors && attributes & TOP_PICKED)
		attributes ^= TOP_REVERSE;
	result |= attributes & TOP_BOLD ? A_BOLD : 0;
	result |= attributes & TOP_UNDERLINE ? A_UNDERLINE : 0;
	result |= attributes & TOP_REVERSE ? A_REVERSE : 0;
	attr_set(result, 0, pair ? &pair : NULL);
}

/* --- showing --- */

void terminal_size(const struct terminal *t, int *columns, int *rows)
{
	(void)t;
	*columns = COLS;
	*rows = LINES;
}

static bool is_same_cell(const struct canvas_cell *a, const struct canvas_cell *b)
{
	return a->style == b->style && a->attributes == b->attributes;
}

static void show_row(const struct terminal *t, const struct canvas *c, int y)
{
	const struct canvas_cell *row = c->cells + y * c->columns;
	wchar_t run[RUN_MAX + 1];

	for (int x = 0; x < c->columns;) {
		int count = 0, at = x;

		for (; x < c->columns && count < RUN_MAX &&
			(is_same_cell(&row[at], &row[x]) || !row[x].c);
			x++) {
			if (row[x].c)
				run[count++] = (wchar_t)row[x].c;
		}
		set_style(t, &row[at]);
		mvaddnwstr(y, at, run, count);
	}
}

void terminal_show(struct terminal *t, const struct canvas *c)
{
	for (int y = 0; y < c->rows && y < LINES; y++)
		show_row(t, c, y);
	attrset(A_NORMAL);
	refresh();
}

void terminal_wait(const struct terminal *t, int ms)
{
	struct pollfd in = { .fd = fileno(t->in), .events = POLLIN };

	poll(&in, 1, ms);
}

void terminal_forget_typed(struct terminal *t)
{
	(void)t;
	flushinp();
}

void terminal_copy(struct terminal *t, const char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t size = strlen(text);

	fputs("\033]52;c;", t->out);
	for (size_t i = 0; i < size; i += 3) {
		unsigned long group = (unsigned long)(unsigned char)text[i] << 16;
		unsigned long more = size - i;

		group |= more > 1 ? (unsigned long)(unsigned char)text[i + 1] << 8 : 0;
		group |= more > 2 ? (unsigned char)text[i + 2] : 0;
		fputc(digits[group >> 18 & 63], t->out);
		fputc(digits[group >> 12 & 63], t->out);
		fputc(more > 1 ? digits[group >> 6 & 63] : '=', t->out);
		fputc(more > 2 ? digits[group & 63] : '=', t->out);
	}
	fputc('\a', t->out);
	fflush(t->out);
}

void terminal_redraw(struct terminal *t)
{
	(void)t;
	clearok(curscr, TRUE);
}

/* --- keys --- */

/* Returns whether the terminal was closed: it then returns the end of file for ever. */
bool terminal_is_gone(const struct terminal *t)
{
	struct pollfd in = { .fd = fileno(t->in), .events = POLLIN };

	return poll(&in, 1, 0) > 0 && in.revents & (POLLHUP | POLLERR | POLLNVAL);
}

/* Skips a sequence that ncurses does not know: its bytes are no separate keys. */
static void skip_sequence(wint_t key)
{
	if (key != '[') {
		if (key == 'O')
			get_wch(&key);
		return;
	}
	while (get_wch(&key) == OK && (key < FINAL_FIRST || key > FINAL_LAST))
		;
}

static int mouse_key(struct top_mouse *mouse)
{
	MEVENT event;

	if (getmouse(&event) != OK)
		return TOP_KEY_MOUSE;
	*mouse = (struct top_mouse){ .y = event.y, .x = event.x };
	mouse->wheel = event.bstate & WHEEL_UP ? -1 : event.bstate & WHEEL_DOWN ? 1 : 0;
	mouse->is_double = event.bstate & BUTTON1_DOUBLE_CLICKED;
	return TOP_KEY_MOUSE;
}

static int special_key(wint_t key, struct top_mouse *mouse)
{
	static const struct {
		wint_t code;
		int key;
	} keys[] = { { KEY_UP, TOP_KEY_UP }, { KEY_DOWN, TOP_KEY_DOWN }, { KEY_LEFT, TOP_KEY_LEFT },
		{ KEY_RIGHT, TOP_KEY_RIGHT }, { KEY_PPAGE, TOP_KEY_PAGE_UP },
		{ KEY_NPAGE, TOP_KEY_PAGE_DOWN }, { KEY_HOME, TOP_KEY_HOME },
		{ KEY_END, TOP_KEY_END }, { KEY_ENTER, TOP_KEY_ENTER },
		{ KEY_BACKSPACE, TOP_KEY_BACKSPACE }, { KEY_RESIZE, TOP_KEY_RESIZE } };

	if (key == KEY_MOUSE)
		return mouse_key(mouse);
	if (key >= KEY_F(1) && key <= KEY_F(10))
		return TOP_KEY_F1 + (int)(key - KEY_F(1));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (keys[i].code == key)
			return keys[i].key;
	}
	return TOP_KEY_UNKNOWN;
}

int terminal_key(struct terminal *t, struct top_mouse *mouse)
{
	wint_t key, behind;
	int status = get_wch(&key);

	(void)t;
	*mouse = (struct top_mouse){ 0 };
	if (status == ERR)
		return TOP_KEY_NONE;
	if (status == KEY_CODE_YES)
		return special_key(key, mouse);
	if (key == TOP_KEY_ESCAPE && get_wch(&behind) == OK) {
		skip_sequence(behind);
		return TOP_KEY_UNKNOWN;
	}
	return key == '\r' ? TOP_KEY_ENTER : (int)key;
}

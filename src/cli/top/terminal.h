/* SPDX-License-Identifier: BSD-2-Clause */
/* The terminal of the screen: taking and returning it, keys, and showing a canvas. The only file
 * that knows ncurses is behind it. */
#pragma once

#include <stdio.h>

#include "base/error.h"
#include "cli/top/canvas.h"
#include "cli/top/state.h"
#include "cli/top/theme.h"

struct terminal;

int terminal_open(
	struct terminal **out, FILE *in, FILE *stream, bool use_color, struct sooth_error *err);
void terminal_close(struct terminal *t);
/* Uses the theme's colors if the terminal has colors. */
void terminal_set_theme(struct terminal *t, const struct theme *theme);
void terminal_size(const struct terminal *t, int *columns, int *rows);
/* Returns a typed key; TOP_KEY_NONE: none; TOP_KEY_MOUSE: sets `mouse`. */
int terminal_key(struct terminal *t, struct top_mouse *mouse);
bool terminal_is_gone(const struct terminal *t);
void terminal_show(struct terminal *t, const struct canvas *c);
/* Waits for a key, at most `ms`. */
void terminal_wait(const struct terminal *t, int ms);
void terminal_forget_typed(struct terminal *t);
/* Copies a text into the clipboard, by OSC 52, where the terminal allows it. The text has printable
 * ASCII only. */
void terminal_copy(struct terminal *t, const char *text);
/* Makes the next frame draw everything again. */
void terminal_redraw(struct terminal *t);

/* SPDX-License-Identifier: BSD-2-Clause */
/* A pane over the list: the text of a command of sooth for one process, or a text of the screen's
 * own. It scrolls and searches, and its title says which process it is about. */
#pragma once

#include "cli/screen/pane_text.h"
#include "cli/top/canvas.h"
#include "model/process_id.h"

#define TOP_PANE_WORDS 8

struct top_pane_kind {
	int key;
	const char *name, *help;
	const char *doing; /* shown while the command runs */
	/* Command of sooth, to which the process is appended; empty: the screen makes the text. */
	const char *words[TOP_PANE_WORDS];
	bool is_of_session; /* append the other processes of the session too */
	/* Beginnings of lines, for a command that repeats its text (struct pane_text); NULL: it
	 * does not. */
	const char *const *beginnings;
};

extern const struct top_pane_kind top_pane_kinds[];
extern const size_t top_pane_kind_count;

struct top_pane {
	const struct top_pane_kind *kind; /* NULL: the pane is closed */
	struct process_id id;
	char about[240]; /* "4711 claude checkout-service" */
	char search[96];
	char known[512]; /* shown until the command's text comes */
	struct pane_text text;
};

struct top;

const struct top_pane_kind *top_pane_kind_for(int key);
/* Returns whether the pane is beside the list (there is room for both), not over it. */
bool top_pane_is_beside(const struct top *t);
/* Returns the width of a pane's text, in cells of the terminal. */
int top_pane_columns(const struct top *t);
#define TOP_PANE_PROCESSES 16

/* Closes an open pane, and runs the command. The pane is about the first process.
 * -errno. */
int top_pane_open(struct top_pane *p, const struct top_pane_kind *kind,
	const struct process_id *ids, size_t count, const char *about, int columns);
/* Fill a pane whose kind has no command: with a text, or with a command of the caller. */
void top_pane_set_text(struct top_pane *p, const char *text);
int top_pane_run(struct top_pane *p, const char *const *words, int columns);
/* Sets the text that is shown until the command's text comes. */
void top_pane_set_known(struct top_pane *p, const char *claim, const char *remedy);
/* Reads the command's output. True: draw the pane again. */
bool top_pane_step(struct top_pane *p);
/* Scrolls and searches; false: the key is not one of the pane. */
bool top_pane_handle_key(struct top_pane *p, int key);
/* Scrolls to the next row with the searched text. False: there is none. */
bool top_pane_find(struct top_pane *p);
void top_pane_draw(struct top_pane *p, struct canvas *c, struct canvas_area area);
void top_pane_close(struct top_pane *p);

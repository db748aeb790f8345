/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pane over the list: the text of a command of sooth for one process, or a text of the screen's
 * own. It scrolls and searches, and its title says which process it is about.
 */
#ifndef SOOTH_CLI_TOP_PANE_H
#define SOOTH_CLI_TOP_PANE_H

#include "cli/screen/pane_text.h"
#include "cli/top/canvas.h"
#include "model/process_id.h"

#define TOP_PANE_WORDS 8

struct top_pane_kind {
	int key;
	const char *name, *help;
	const char *doing; /* said meanwhile */
	/* Words of sooth, the process is appended; none: the text is made by the screen. */
	const char *words[TOP_PANE_WORDS];
	bool is_of_session; /* of its other processes too */
	/* It goes on, a text after the other: struct pane_text has these. NULL: it ends. */
	const char *const *beginnings;
};

extern const struct top_pane_kind top_pane_kinds[];
extern const size_t top_pane_kind_count;

struct top_pane {
	const struct top_pane_kind *kind; /* NULL: it is closed */
	struct process_id id;
	char about[240]; /* "4711 claude checkout-service" */
	char search[96];
	char known[512]; /* shown until its text comes */
	struct pane_text text;
};

struct top;

const struct top_pane_kind *top_pane_kind_for(int key);
/* Where both have room a pane stands beside the list, else over it. */
bool top_pane_is_beside(const struct top *t);
/* Columns of the text of a pane. */
int top_pane_columns(const struct top *t);
#define TOP_PANE_PROCESSES 16

/* Runs the command; a pane that is open is closed first. The first process is the one it is about.
 * -errno. */
int top_pane_open(struct top_pane *p, const struct top_pane_kind *kind,
	const struct process_id *ids, size_t count, const char *about, int columns);
/* Fill a pane of a kind without a command: by a text, or by a command of the caller's. */
void top_pane_set_text(struct top_pane *p, const char *text);
int top_pane_run(struct top_pane *p, const char *const *words, int columns);
/* Known before, and shown until its text comes. */
void top_pane_set_known(struct top_pane *p, const char *claim, const char *remedy);
/* True: it is to be drawn again. */
bool top_pane_step(struct top_pane *p);
/* Scrolls and searches; false: the key is not one of the pane. */
bool top_pane_take_key(struct top_pane *p, int key);
/* The next row that has the text. False: none has. */
bool top_pane_find(struct top_pane *p);
void top_pane_draw(struct top_pane *p, struct canvas *c, struct canvas_area area);
void top_pane_close(struct top_pane *p);

#endif

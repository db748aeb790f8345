/* SPDX-License-Identifier: BSD-2-Clause */
/* The output of a command of sooth as rows that can be scrolled and searched, independent of the
 * screen. The output has text of targets, so it is escaped here too. */
#pragma once

#include "cli/command/own_command.h"

/* Zeroed is valid: an empty one. */
struct pane_text {
	struct own_command command;
	uint64_t start_ns;
	uint64_t shown_s; /* the seconds that were shown last */
	/* First rows of a repeated text (blanks are ignored): each new text replaces the previous
	 * one. Ends with NULL; NULL: the text is not repeated. */
	const char *const *beginnings;
	struct buffer text;  /* output as read */
	size_t looked;	     /* bytes already searched for beginnings */
	bool is_cut;	     /* some of the text was dropped */
	int columns;	     /* width for which `rows` were made; 0: not made */
	struct buffer lines; /* escaped text of all rows, each ended by NUL */
	struct buffer rows;  /* size_t: offset of each row in `lines` */
	size_t first;	     /* first row in the window */
	int page;	     /* rows of the window */
};

enum pane_move {
	PANE_STAYS,
	PANE_UP,
	PANE_DOWN,
	PANE_PAGE_UP,
	PANE_PAGE_DOWN,
	PANE_FIRST,
	PANE_LAST,
};

/* Starts a command; `words` as for own_command_start(). -errno. */
int pane_text_run(struct pane_text *p, const char *const *words, int columns);
bool pane_text_is_running(const struct pane_text *p);
/* Returns the seconds since the command was started. */
uint64_t pane_text_seconds(const struct pane_text *p);
/* Reads available output. True: there was some, or the number of seconds changed. */
bool pane_text_step(struct pane_text *p);
/* Sets the text directly, without a command. */
void pane_text_set(struct pane_text *p, const char *text);
/* Makes the rows for a window of that size, unless they are made already. */
void pane_text_fit(struct pane_text *p, bool is_utf8, int columns, int rows);
size_t pane_text_rows(const struct pane_text *p);
const char *pane_text_row(const struct pane_text *p, size_t i);
void pane_text_move(struct pane_text *p, enum pane_move move);
/* Scrolls to the next row with the searched text. False: there is none. */
bool pane_text_find(struct pane_text *p, const char *searched);
void pane_text_fini(struct pane_text *p);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of a command of sooth in rows that scroll and are searched, whatever draws them. It came
 * from a program that reads targets, so it is escaped here too.
 */
#ifndef SOOTH_CLI_PANE_TEXT_H
#define SOOTH_CLI_PANE_TEXT_H

#include "cli/command/own_command.h"

/* Zeroed is valid: an empty one. */
struct pane_text {
	struct own_command command;
	uint64_t start_ns;
	uint64_t shown_s; /* seconds that were shown last */
	/* A repeated text: each one begins with a row of one of these, of which blanks do not
	 * count, and takes the place of the one before. Ends with NULL; NULL: all is one text. */
	const char *const *beginnings;
	struct buffer text;  /* as it came */
	size_t looked;	     /* so much of it was searched for beginnings */
	bool is_cut;	     /* there was more than is kept */
	int columns;	     /* of the rows below; 0: they are to be made */
	struct buffer lines; /* escaped text of all rows, each ended by NUL */
	struct buffer rows;  /* size_t: where each one begins in it */
	size_t first;	     /* in the window */
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

/* `words` as of own_command_start(). -errno. */
int pane_text_run(struct pane_text *p, const char *const *words, int columns);
bool pane_text_is_running(const struct pane_text *p);
/* Since it was started. */
uint64_t pane_text_seconds(const struct pane_text *p);
/* Reads what is there. True: it, or the number of seconds, is new. */
bool pane_text_step(struct pane_text *p);
/* Instead of what a command writes. */
void pane_text_set(struct pane_text *p, const char *text);
/* Makes the rows for a window of that size, where they are not made yet. */
void pane_text_fit(struct pane_text *p, bool is_utf8, int columns, int rows);
size_t pane_text_rows(const struct pane_text *p);
const char *pane_text_row(const struct pane_text *p, size_t i);
void pane_text_move(struct pane_text *p, enum pane_move move);
/* The next row that has it comes first. False: none has. */
bool pane_text_find(struct pane_text *p, const char *searched);
/* Ends the command. */
void pane_text_end(struct pane_text *p);

#endif

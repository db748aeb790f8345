/* SPDX-License-Identifier: BSD-2-Clause */
/* A pane over the table: the text of a command for one process, which scrolls. */
#ifndef SOOTH_CLI_PANE_H
#define SOOTH_CLI_PANE_H

#include "cli/command/own_command.h"
#include "cli/screen/screen.h"

struct pane {
	struct screen_pick pick;
	char title[128];
	struct own_command command;
	uint64_t start_ns;
	uint64_t shown_s; /* seconds that the title shows */
	struct buffer text;
	bool is_cut;	     /* there was more text than a pane keeps */
	int columns;	     /* of the rows below */
	struct buffer chars; /* wchar_t: the text, escaped; each line ends with 0 */
	struct buffer rows;  /* size_t: where each row of the pane begins in `chars` */
	size_t top;	     /* first row in the window */
};

bool pane_is_open(const struct pane *p);
/* Runs the command of the key, which ends in a PID@START. Closes an open one first. -errno. */
int pane_open(struct pane *p, const struct screen_pick *pick);
/* True: it is to be drawn again. */
bool pane_step(struct pane *p);
/* Scrolls; false: the key is not one of the pane. */
bool pane_take_key(struct pane *p, int key);
void pane_draw(struct pane *p, const char *message);
/* Ends its command. */
void pane_close(struct pane *p);

#endif

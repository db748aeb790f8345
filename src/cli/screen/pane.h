/* SPDX-License-Identifier: BSD-2-Clause */
/* A pane over the table: the text of a command for one process, which scrolls. */
#ifndef SOOTH_CLI_PANE_H
#define SOOTH_CLI_PANE_H

#include "cli/screen/screen.h"
#include "cli/screen/pane_text.h"

struct pane {
	struct screen_pick pick;
	char title[128];
	struct pane_text text;
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

/* SPDX-License-Identifier: BSD-2-Clause */
/* A command of sooth that runs beside the screen, and whose text is read through a pipe. */
#ifndef SOOTH_CLI_PANE_COMMAND_H
#define SOOTH_CLI_PANE_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"

struct pane_command {
	pid_t pid; /* 0: none, or it has exited */
	int out;   /* the reading end; -1: at its end */
};

/* `words` begin with "sooth" and end with NULL; tables fit into the columns. -errno. */
int pane_command_start(struct pane_command *c, const char *const *words, int columns);
/* Appends what is there, without waiting. True: something came, or the end. */
bool pane_command_read(struct pane_command *c, struct buffer *text);
/* Ends it at once if it still runs; it reads only, so nothing is left half done. */
void pane_command_end(struct pane_command *c);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* A command of sooth that runs beside this one, and whose text is read through a pipe. */
#ifndef SOOTH_CLI_OWN_COMMAND_H
#define SOOTH_CLI_OWN_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"

struct own_command {
	pid_t pid; /* 0: none, or it has exited */
	int out;   /* the reading end */
};

/*
 * `words` begin with "sooth" and end with NULL. Tables fit into the columns; 0: there is no report,
 * only what it writes to standard error is read. -errno.
 */
int own_command_start(struct own_command *c, const char *const *words, int columns);
/* Appends what is there, without waiting. True: something came, or the end. */
bool own_command_read(struct own_command *c, struct buffer *text);
/* Ends it at once if it still runs; it reads only, so nothing is left half done. */
void own_command_end(struct own_command *c);

#endif

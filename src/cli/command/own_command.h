/* SPDX-License-Identifier: BSD-2-Clause */
/* A child process that runs a command of sooth; its output is read through a pipe. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"

struct own_command {
	pid_t pid;  /* 0: none, or it has exited */
	int out;    /* read end of the pipe */
	int life;   /* write end of a pipe: the command is killed when no process has it */
	int status; /* as of waitpid(2); SIGKILL if it could not be reaped */
};

/* Starts a command. `words` begin with "sooth" and end with NULL. Tables fit into `columns`; 0:
 * only standard error is read. -errno. */
int own_command_start(struct own_command *c, const char *const *words, int columns);
/* Appends the available output, without waiting. Returns whether there was output, or it has
 * ended. */
bool own_command_read(struct own_command *c, struct buffer *text);
/* Kills the command if it still runs. It only reads, so nothing is left half done. */
void own_command_end(struct own_command *c);

/* SPDX-License-Identifier: BSD-2-Clause */
/* The folder of the monitor's FIFOs, by default ~/.claude/fifos. A FIFO has mode 0600; links,
 * regular files and FIFOs of other users are refused. */
#pragma once

#include <sys/un.h>

#include "cli/state/user_folder.h"

/* Opens the folder, made if missing, and locks it: one monitor per folder. `path` NULL:
 * ~/.claude/fifos. */
int fifo_folder_open(struct user_folder *f, const char *path, struct sooth_error *err);
/* Opens a FIFO, made if missing, for nonblocking writes. -ENXIO: no process reads the FIFO; another
 * negative errno with err filled: the file is refused. */
int fifo_open(struct user_folder *f, const char *name, struct sooth_error *err);
/* Enlarges the FIFO's buffer as far as the system allows. The size lasts until the last end of the
 * FIFO is closed. */
void fifo_enlarge(int fd);
/* Returns the descriptor of a listening Unix socket of that name, which only the user can connect
 * to. A socket left by an earlier monitor is replaced. */
int fifo_folder_listen(struct user_folder *f, const char *name, struct sooth_error *err);
/* Sets the address of a socket in `folder` (NULL: ~/.claude/fifos). -EINVAL: it is too long. */
int fifo_folder_socket(
	const char *folder, const char *name, struct sockaddr_un *out, struct sooth_error *err);

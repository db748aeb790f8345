/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The folder of the monitor's FIFOs, ~/.claude/fifos or another. A FIFO is 0600; links, files, and
 * what belongs to others are refused.
 */
#ifndef SOOTH_CLI_FIFO_FOLDER_H
#define SOOTH_CLI_FIFO_FOLDER_H

#include <sys/un.h>

#include "cli/state/user_folder.h"

/* `path` NULL: ~/.claude/fifos. Made if it is not there, and locked: there is one monitor a folder.
 */
int fifo_folder_open(struct user_folder *f, const char *path, struct sooth_error *err);
/*
 * A descriptor to write to without waiting; -ENXIO: no process reads it; another negative errno
 * with err filled: it is none of ours. Made if it is not there.
 */
int fifo_open(struct user_folder *f, const char *name, struct sooth_error *err);
/* As far as the system allows, until its last end is closed. */
void fifo_enlarge(int fd);
/* A Unix socket of that name, listening, which only the user can connect to: its descriptor. A
 * socket that a monitor left is replaced. */
int fifo_folder_listen(struct user_folder *f, const char *name, struct sooth_error *err);
/* The address of a socket in `folder`, for a client; NULL: ~/.claude/fifos. -EINVAL: too long. */
int fifo_folder_socket(
	const char *folder, const char *name, struct sockaddr_un *out, struct sooth_error *err);

#endif

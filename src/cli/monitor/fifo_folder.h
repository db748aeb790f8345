/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The folder of the monitor's FIFOs, ~/.claude/fifos or another: 0700, its FIFOs 0600, both of the
 * user; with sudo of the invoking user, with whose rights all is done. Links, files, and what
 * belongs to others are refused.
 */
#ifndef SOOTH_CLI_FIFO_FOLDER_H
#define SOOTH_CLI_FIFO_FOLDER_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/error.h"

struct fifo_folder {
	int fd;
	uid_t uid, before_uid;
	gid_t gid, before_gid;
	char path[4096];
};

/* `path` NULL: ~/.claude/fifos. Made if it is not there, and locked: there is one monitor a folder.
 */
int fifo_folder_open(struct fifo_folder *f, const char *path, struct sooth_error *err);
/* The FIFOs stay. */
void fifo_folder_close(struct fifo_folder *f);
/*
 * A descriptor to write to without waiting; -ENXIO: no process reads it; another negative errno
 * with err filled: it is none of ours. Made if it is not there.
 */
int fifo_open(struct fifo_folder *f, const char *name, struct sooth_error *err);
/* As far as the system allows, until its last end is closed. */
void fifo_enlarge(int fd);
/* A Unix socket of that name, listening, which only the user can connect to: its descriptor. One
 * that a monitor left is replaced. */
int fifo_folder_listen(struct fifo_folder *f, const char *name, struct sooth_error *err);
/* Of a client: the path of a socket in the folder of that path; NULL: ~/.claude/fifos. -EINVAL: too
 * long.
 */
int fifo_folder_socket(
	const char *folder, const char *name, struct sockaddr_un *out, struct sooth_error *err);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A socket through which another program controls a running command: a request is a line, the
 * answer a line of JSON.
 *
 *	ping                   {"ok":true}
 *	pause, resume          events meanwhile are not recorded
 *	mark NAME              a phase of the target begins
 *	snapshot               {"ok":true,"report":{...}}: the report as it would end now
 *
 * Answer to a failed request: {"ok":false,"what":"...","why":"...","try":"..."}. The socket belongs
 * to the user (mode 0600), or with sudo, in a folder of the invoking user, to that user; it serves
 * its owner and root. For root, a folder made by another user is refused.
 */
#pragma once

#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"

#define CONTROL_CLIENTS 8
#define CONTROL_REQUEST 1024

struct control_client {
	int fd;		       /* -1: none */
	struct buffer request; /* the received part of a request */
	pid_t answering;       /* the child that answers a snapshot; 0: none */
};

struct control {
	int listener;	    /* -1: none */
	const char *path;   /* borrowed */
	const char *option; /* that names the socket, for remedies; NULL: "--control " */
	dev_t device;	    /* of the socket's file, with its inode */
	ino_t inode;
	uid_t owner; /* owner of the socket: user of sudo, else the caller */
	struct control_client clients[CONTROL_CLIENTS];
};

/* Actions of requests; each returns 0, or a negative errno with err filled. */
struct control_actions {
	int (*pause)(void *user, struct sooth_error *err);
	int (*resume)(void *user, struct sooth_error *err);
	int (*mark)(void *user, const char *name, struct sooth_error *err);
	/* Called before a snapshot, in this process; NULL: nothing to do. */
	int (*prepare)(void *user, struct sooth_error *err);
	/* Called after prepare() in a forked child: writes the current report as one line of JSON.
	 */
	int (*report)(void *user, struct buffer *text, struct sooth_error *err);
};

void control_init(struct control *c);
/* Opens the socket for control. -EADDRINUSE: a file of that name exists. */
int control_open(struct control *c, const char *path, struct sooth_error *err);
/* Accepts clients, and handles their requests. */
void control_serve(struct control *c, const struct control_actions *actions, void *user);
/* Returns the descriptor of a connection of the socket's owner or of root; -1: none. */
int control_accept(struct control *c);
void control_close(struct control *c);
/* Returns whether the kernel says that the process at the other end belongs to the user or to root;
 * *pid: that process, 0: the kernel did not say. */
bool control_peer_is_of(int fd, uid_t user, uint32_t *pid);

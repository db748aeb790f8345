/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A socket through which another program controls what runs: a request is a line, its answer a line
 * of JSON.
 *
 *	ping                   {"ok":true}
 *	pause, resume          events meanwhile are not recorded
 *	mark NAME              a phase of the target begins
 *	snapshot               {"ok":true,"report":{...}}: the report as it would end now
 *
 * A request that fails: {"ok":false,"what":"...","why":"...","try":"..."}. The socket is the user's
 * own (mode 0600), and serves that user and root; with sudo, in a folder of the invoking user, it
 * is that user's. As root no other user can have made its folder.
 */
#ifndef SOOTH_CLI_CONTROL_H
#define SOOTH_CLI_CONTROL_H

#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"

#define CONTROL_CLIENTS 8
#define CONTROL_REQUEST 1024

struct control_client {
	int fd;		       /* -1: none */
	struct buffer request; /* as far as it has come */
	pid_t answering;       /* the child that answers a snapshot; 0: none */
};

struct control {
	int listener;	  /* -1: none */
	const char *path; /* borrowed */
	uid_t owner;	  /* of its folder: the user of sudo, else the caller */
	struct control_client clients[CONTROL_CLIENTS];
};

/* Actions of requests; each gives 0 or a negative errno with err filled. */
struct control_actions {
	int (*pause)(void *user, struct sooth_error *err);
	int (*resume)(void *user, struct sooth_error *err);
	int (*mark)(void *user, const char *name, struct sooth_error *err);
	/* Called before a snapshot, in this process; NULL: nothing to do. */
	int (*prepare)(void *user, struct sooth_error *err);
	/* Then in a copy of it that ends afterwards: the report of now, as one line of JSON. */
	int (*report)(void *user, struct buffer *text, struct sooth_error *err);
};

void control_init(struct control *c);
/* -EADDRINUSE: there is a file of that name. */
int control_open(struct control *c, const char *path, struct sooth_error *err);
/* Takes those that connect, and does what they request. */
void control_serve(struct control *c, const struct control_actions *actions, void *user);
void control_close(struct control *c);

#endif

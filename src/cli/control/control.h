/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A socket through which another program controls a run: a request is a line, its answer a line of
 * JSON.
 *
 *	ping                   {"ok":true}
 *	pause, resume          events meanwhile are not recorded
 *	mark NAME              a phase of the target begins
 *	snapshot               {"ok":true,"report":{...}}: the report as it would end now
 *
 * A request that fails: {"ok":false,"what":"...","why":"...","try":"..."}. The socket is the user's
 * own (mode 0600), and serves that user and root.
 */
#ifndef SOOTH_CLI_CONTROL_H
#define SOOTH_CLI_CONTROL_H

#include <stdio.h>
#include <sys/types.h>

#include <sooth/observer.h>
#include <sooth/report.h>

#include "base/buffer.h"

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
	struct control_client clients[CONTROL_CLIENTS];
	struct sooth_report *report;
	FILE *memory; /* the report once more, for snapshots */
	char *text;
	size_t size;
	/* Streams that only this process may write to. */
	FILE *others[3];
	bool has_no_report; /* lines as they come, or frames: there is nothing that sums up */
};

void control_init(struct control *c);
/* -EADDRINUSE: there is a file of that name. */
int control_open(struct control *c, const char *path, struct sooth_error *err);
/* Before the first block; the report of snapshots. */
int control_add_report(struct control *c, struct sooth_report *report, struct sooth_error *err);
/* Takes those that connect, and does what they request. */
void control_serve(struct control *c, struct sooth_observer *o);
void control_close(struct control *c);

#endif

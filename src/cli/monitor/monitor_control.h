/* SPDX-License-Identifier: BSD-2-Clause */
/* Lets another program control a monitor through a socket: requests go to each of its feeds. */
#pragma once

#include "cli/control/control.h"
#include "cli/monitor/feed.h"

struct monitor_control {
	struct control control;
	struct feed *const *feeds; /* FEEDS feeds; borrowed */
	/* Called before a snapshot: updates `processes`; borrowed. */
	int (*look)(void *user, struct sooth_error *err);
	void *user;
	const struct buffer *processes; /* struct monitor_process */
};

/* Opens the control socket; the other members must be set. `path` NULL: none. */
int monitor_control_open(struct monitor_control *c, const char *path, struct sooth_error *err);
void monitor_control_serve(struct monitor_control *c);
void monitor_control_close(struct monitor_control *c);

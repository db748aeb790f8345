/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that sooth stops cannot let its target continue: only the tracer may, and it is
 * stopped, too. So while something is paused, a small process watches. It has a process group and
 * a session of its own, so that Ctrl-Z and a stop of sooth do not reach it. When sooth has been
 * stopped for a second with something paused, it continues sooth for the moment that the release
 * takes, and stops it again.
 */
#ifndef SOOTH_OS_LINUX_PAUSE_GUARD_H
#define SOOTH_OS_LINUX_PAUSE_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* In memory that both processes share. */
struct pause_state {
	bool is_paused; /* something is, or is about to be */
	bool releases;	/* it has to continue now, and nothing more is paused */
	bool ends;	/* `releases` stays */
};

struct pause_guard {
	struct pause_state *state;
	pid_t pid;
	int alive; /* the guard ends when this is closed */
};

int pause_guard_start(struct pause_guard *g, struct sooth_error *err);
void pause_guard_set(struct pause_guard *g, bool is_paused);
bool pause_guard_asks(const struct pause_guard *g);
/* Asks until the end. */
void pause_guard_cancel(struct pause_guard *g);
void pause_guard_end(struct pause_guard *g);

#endif

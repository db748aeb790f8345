/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A child that makes links to probes, and has their only descriptors. It closes them when its
 * parent ends, and also when the parent is stopped (SIGSTOP, Ctrl-Z, a debugger) or says nothing
 * for some seconds: then nothing measures what the probes cost the target, or removes them. The
 * child has none of the parent's files open, has its own session, and gets no signal that is sent
 * to the parent's group.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define LINKS_HOLDER_MAX 1024

struct links_holder {
	pid_t pid; /* 0: none */
	int socket;
	bool is_gone;
	bool has[LINKS_HOLDER_MAX]; /* by number */
};

/* A link of type uprobe_multi or uprobe_session: places of one file, in one process. */
struct links_holder_link {
	const uint64_t *offsets, *cookies;
	uint32_t count, type, flags, pid;
	int program, file; /* descriptors, borrowed */
};

/* Makes the link in this process. Returns its descriptor or a negative errno. */
int links_make(const struct links_holder_link *link);

int links_holder_start(struct links_holder *h, struct sooth_error *err);
/* Has the child make a link. Returns its number, or a negative errno. -EPIPE: the child is gone;
 * -ENOSPC: it has LINKS_HOLDER_MAX of them. */
int64_t links_holder_make(struct links_holder *h, const struct links_holder_link *link);
/* Closes a link, and returns when the kernel has removed it: some 45 ms. */
void links_holder_close(struct links_holder *h, uint32_t number);
/* Says that the parent is at work, at least every second. False: the child has closed all links,
 * and is gone. */
bool links_holder_beat(struct links_holder *h);
/* Ends it, which closes all links, and waits for that. Does nothing without a child. */
void links_holder_end(struct links_holder *h);

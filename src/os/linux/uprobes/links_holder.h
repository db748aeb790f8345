/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A child that has the only descriptors of links to probes. It closes them when its parent ends,
 * and also when the parent is stopped (SIGSTOP, Ctrl-Z, a debugger) or says nothing for some
 * seconds: then nothing measures what the probes cost the target, or removes them. The child has
 * none of the parent's files open, has its own session, and gets no signal that is sent to the
 * parent's group.
 */
#ifndef SOOTH_OS_LINUX_UPROBES_LINKS_HOLDER_H
#define SOOTH_OS_LINUX_UPROBES_LINKS_HOLDER_H

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

int links_holder_start(struct links_holder *h, struct sooth_error *err);
/* Gives it a link, and closes the own descriptor. Returns the number of the link, or a negative
 * errno: the link stays the caller's. -EPIPE: the child is gone. */
int64_t links_holder_give(struct links_holder *h, int link);
/* Closes a link. */
void links_holder_close(struct links_holder *h, uint32_t number);
/* Says that the parent is at work, at least every second. False: the child has closed all links,
 * and is gone. */
bool links_holder_beat(struct links_holder *h);
/* Ends it, which closes all links, and waits for that. Does nothing without a child. */
void links_holder_end(struct links_holder *h);

#endif

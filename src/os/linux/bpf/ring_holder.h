/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread of its own that keeps what is followed from outrunning us: it holds the
 * threads that run while the ring is more than half full. Holding takes time; what is
 * free of the ring by then is the reserve. Both are told.
 *
 * A thread, because whoever drains the ring may stand in a slow write just then, and
 * because only the thread that seized a tracee may command it.
 */
#ifndef SOOTH_OS_LINUX_RING_HOLDER_H
#define SOOTH_OS_LINUX_RING_HOLDER_H

#include <pthread.h>
#include <stdbool.h>

#include "base/error.h"
#include "os/linux/bpf/follow.h"
#include "probes/held.h"

struct hold;

/* All called in its thread; NULL: nothing. */
struct ring_holder_work {
	void (*begin)(void *user); /* first of all, before anybody is held */
	void (*room)(void *user);  /* now and then, while the ring is less than half full */
	/* Somebody was held; the record's kind and process are the caller's to fill. */
	void (*tell)(void *user, struct held *held);
	void *user;
};

struct ring_holder {
	struct follow *follow;
	struct ring_holder_work work;
	volatile bool stops; /* true: whatever is being done is to be left */
	pthread_t thread;
	struct hold *hold;
	int wake;			/* an eventfd: there is something to do */
	int filling;			/* readable when the ring has grown */
	uint64_t produced, produced_ns; /* when last looked at */
	double rate;			/* bytes a ns */
};

/* On failure nothing is left to be stopped. */
int ring_holder_start(struct ring_holder *h, struct follow *follow,
	const struct ring_holder_work *work, struct sooth_error *err);
/* From any thread: work.room is called soon. */
void ring_holder_wake(struct ring_holder *h);
/* From work.room: whether there is still room. */
bool ring_holder_has_room(const struct ring_holder *h);
/* Lets everything go, and ends the thread. */
void ring_holder_stop(struct ring_holder *h);

#endif

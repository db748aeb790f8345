/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread of its own that keeps what is followed from outrunning us: it holds the
 * threads that run while the ring is more than half full. Holding takes time; what is
 * free of the ring by then is the reserve. Both are told.
 *
 * A thread, because whoever drains the ring may stand in a slow write just then, and
 * because only the thread that seized a tracee may command it.
 */
#ifndef SOOTH_OS_LINUX_RING_PAUSER_H
#define SOOTH_OS_LINUX_RING_PAUSER_H

#include <pthread.h>
#include <stdbool.h>

#include "base/error.h"
#include "os/linux/bpf/follow.h"
#include "probes/pause.h"

struct pause;

/* All called in its thread; NULL: nothing. */
struct ring_pauser_work {
	void (*begin)(void *user); /* first of all, before anybody is held */
	void (*room)(void *user);  /* now and then, while the ring is less than half full */
	/* Somebody was held; the record's kind and process are the caller's to fill. */
	void (*tell)(void *user, struct held *held);
	void *user;
};

struct ring_pauser {
	struct follow *follow;
	struct ring_pauser_work work;
	volatile bool stops; /* true: whatever is being done is to be left */
	pthread_t thread;
	struct pause *hold;
	int wake;			/* an eventfd: there is something to do */
	int filling;			/* readable when the ring has grown */
	uint64_t produced, produced_ns; /* when last looked at */
	double rate;			/* bytes a ns */
};

/* On failure nothing is left to be stopped. */
int ring_pauser_start(struct ring_pauser *h, struct follow *follow,
	const struct ring_pauser_work *work, struct sooth_error *err);
/* From any thread: work.room is called soon. */
void ring_pauser_wake(struct ring_pauser *h);
/* From work.room: whether there is still room. */
bool ring_pauser_has_room(const struct ring_pauser *h);
/* Lets everything go, and ends the thread. */
void ring_pauser_stop(struct ring_pauser *h);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread that keeps the followed threads from outrunning the collector: it pauses running threads
 * while the ring is more than half full. Pausing takes time; the free part of the ring at that
 * moment is the reserve. Both are reported.
 *
 * If a signal stops sooth itself while something is paused, a small process releases it.
 *
 * It is a separate thread, because the collector may be in a slow write just then, and because only
 * the thread that seized a tracee may control it.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "os/linux/bpf/follow.h"
#include "probes/pause.h"

/* In memory that both processes share. */
struct guard_state {
	bool is_paused; /* something is paused, or about to be */
	bool releases;	/* paused threads must continue now, and no more are paused */
	bool ends;	/* `releases` is final */
};

struct pause_guard {
	struct guard_state *state;
	pid_t pid;
	int alive; /* the guard ends when this is closed */
};

struct pause;

/* All called in the pauser's thread; NULL: nothing. */
struct ring_pauser_work {
	void (*begin)(void *user); /* called first, before anything is paused */
	void (*room)(void *user);  /* called now and then while the ring is less than half full */
	void (*event)(void *user); /* called when `events` may be readable */
	/* Something was paused; the caller fills the record's kind and process. */
	void (*report)(void *user, struct pause_event *event);
	void *user;
	int events; /* descriptor for `event`, if that is set; not closed */
};

struct ring_pauser {
	struct follow *follow;
	struct ring_pauser_work work;
	volatile bool stops; /* set to stop the current work */
	struct pause_guard guard;
	pthread_t thread;
	struct pause *pause;
	int wake;			/* an eventfd: there is work */
	int filling;			/* readable when the ring has grown */
	uint64_t produced, produced_ns; /* values at the last check */
	double rate;			/* bytes a ns */
};

/* Starts the pauser. On failure no thread is left stopped. */
int ring_pauser_start(struct ring_pauser *p, struct follow *follow,
	const struct ring_pauser_work *work, struct sooth_error *err);
/* Wakes the pauser, which then calls work.room soon. From any thread. */
void ring_pauser_wake(struct ring_pauser *p);
/* Returns whether the ring still has room. To be called from work.room. */
bool ring_pauser_has_room(const struct ring_pauser *p);
/* Marks the begin of a pause, in work that pauses something. The result turns true when the paused
 * threads must continue. */
const volatile bool *ring_pauser_hold(struct ring_pauser *p);
void ring_pauser_let_go(struct ring_pauser *p);
/* Pauses a thread, if possible, until ring_pauser_continue(). *next is the thread's next
 * instruction then; 0: not known. To be called from work. */
bool ring_pauser_pause(struct ring_pauser *p, pid_t tid, uint64_t *next);
void ring_pauser_continue(struct ring_pauser *p);
/* Releases everything, and ends the thread. */
void ring_pauser_stop(struct ring_pauser *p);

/* SPDX-License-Identifier: BSD-2-Clause */
/* An observer, and a queue of events made of its records: what trackers of all kinds share. */
#ifndef SOOTH_LIBRARY_TRACKER_H
#define SOOTH_LIBRARY_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sooth/observer.h>
#include <sooth/report.h>

#include "base/buffer.h"

/*
 * Events that come stay apart from those that are given: trackers may share a hub, and then the
 * call of one brings events of the other, while what that one gave is borrowed.
 */
struct tracker {
	struct sooth_observer *observer;
	struct sooth_report *report;
	struct buffer queue, texts;	    /* being given */
	struct buffer coming, coming_texts; /* the tracker's user appends to these */
	struct buffer pointers;		    /* of a batch */
	struct buffer phases;		    /* struct tracker_phase, in order of time */
	size_t event_size;
	size_t next; /* of the queue */
	uint64_t given, dropped, pauses, paused_ns;
	uint64_t snapshots; /* marks of that kind in the stream */
	bool has_ended, is_stopped;
	const char *probe; /* whose events they are */
	uint64_t event_ns; /* of the target's time that one takes */
	/* Events are in the queue, and what they borrow has its place. NULL: nothing to do. */
	void (*filled)(struct tracker *t);
};

struct tracker_phase {
	uint64_t time_ns;
	char *name;
};

/* The target that is tracked: pids, or a command with NULL at its end. */
struct tracker_target {
	const pid_t *pids;
	size_t count;
	char *const *command; /* NULL: pids */
};

/* The report and the observer, not started; after a failure tracker_fini(). */
int tracker_begin(struct tracker *t, const char *name, const char *probe, size_t event_size,
	const struct sooth_observer_options *options, struct sooth_error *err);
int tracker_add(struct tracker *t, const struct tracker_target *target, struct sooth_error *err);
int tracker_start(struct tracker *t, struct sooth_error *err);
/* A record that says what was lost, that a phase began, or that the command was paused; others do
 * nothing. */
void tracker_count(struct tracker *t, const struct sooth_record *record);
/* -ENOMEM: something that came could not be kept. */
int tracker_check(const struct tracker *t);
/* The phase of that moment; NULL: none had begun. */
const char *tracker_phase_at(const struct tracker *t, uint64_t time_ns);
/* Up to timeout_ms, -1: until an event came or the target has ended. 1: *event is one; 0: none. */
int tracker_next(struct tracker *t, int timeout_ms, const void **event, struct sooth_error *err);
/* The same for all that are there: how many. */
ssize_t tracker_batch(
	struct tracker *t, int timeout_ms, const void *const **events, struct sooth_error *err);
/* Takes what has happened until now into the queue, without waiting for more. */
int tracker_take(struct tracker *t, struct sooth_error *err);
/* Events that came can be given; false: there are none. */
bool tracker_turn(struct tracker *t);
size_t tracker_waiting(const struct tracker *t);
bool tracker_is_over(const struct tracker *t);
int tracker_fd(struct tracker *t);
int tracker_stop(struct tracker *t, struct sooth_error *err);
void tracker_fini(struct tracker *t);
/* `stats`: a struct sooth_heap_stats or the like, of which it fills what its size has. */
struct tracker_stats {
	size_t size;
	uint64_t events, waiting, dropped, pauses, paused_ns, event_ns;
};
void tracker_stats(const struct tracker *t, void *stats);

#endif

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

struct tracker {
	struct sooth_observer *observer;
	struct sooth_report *report;
	struct buffer queue;	/* events of event_size bytes; the tracker's user appends */
	struct buffer pointers; /* of a batch */
	size_t event_size;
	size_t next; /* of the queue */
	uint64_t given, dropped, pauses, paused_ns;
	uint64_t snapshots; /* marks of that kind in the stream */
	bool has_ended, is_stopped;
	/* Before events are added to an empty queue, and before the first is given: what they
	 * borrow from has moved until then. NULL: nothing to do. */
	void (*emptied)(struct tracker *t);
	void (*filled)(struct tracker *t);
};

/* What is tracked: pids, or a command with NULL at its end. */
struct tracker_target {
	const pid_t *pids;
	size_t count;
	char *const *command; /* NULL: pids */
};

/* The report and the observer, not started; after a failure tracker_fini(). */
int tracker_begin(struct tracker *t, const char *name, size_t event_size,
	const struct sooth_observer_options *options, struct sooth_error *err);
int tracker_add(struct tracker *t, const struct tracker_target *target, struct sooth_error *err);
int tracker_start(struct tracker *t, struct sooth_error *err);
/* A record that says what was lost, or that the command was paused; others do nothing. */
void tracker_count(struct tracker *t, const struct sooth_record *record);
/* Up to timeout_ms, -1: until an event came or the target has ended. 1: *event is one; 0: none. */
int tracker_next(struct tracker *t, int timeout_ms, const void **event, struct sooth_error *err);
/* The same for all that are there: how many. */
ssize_t tracker_batch(
	struct tracker *t, int timeout_ms, const void *const **events, struct sooth_error *err);
/* Takes what has happened until now into the queue, without waiting for more. */
int tracker_take(struct tracker *t, struct sooth_error *err);
size_t tracker_waiting(const struct tracker *t);
bool tracker_is_over(const struct tracker *t);
int tracker_fd(struct tracker *t);
int tracker_stop(struct tracker *t, struct sooth_error *err);
void tracker_fini(struct tracker *t);

#endif

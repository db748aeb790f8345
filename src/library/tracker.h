/* SPDX-License-Identifier: BSD-2-Clause */
/* The common part of all trackers: an observer, and a queue of events made from its records. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sooth/observer.h>
#include <sooth/report.h>

#include "base/buffer.h"

/*
 * New events are kept apart from the events that the caller borrows. Trackers may share a hub: then
 * a call with one tracker brings events of the other, whose events are still borrowed.
 */
struct tracker {
	struct sooth_observer *observer;
	struct sooth_report *report;
	struct buffer queue, texts;	    /* events that the caller receives */
	struct buffer coming, coming_texts; /* the tracker's user appends to these */
	struct buffer pointers;		    /* pointers to the events of a batch */
	struct buffer phases;		    /* struct tracker_phase, in order of time */
	size_t event_size;
	size_t next; /* index in the queue */
	uint64_t given, dropped, pauses, paused_ns;
	uint64_t snapshots; /* snapshot marks in the stream */
	bool has_ended, is_stopped;
	const char *probe; /* probe of the events */
	uint64_t event_ns; /* time that an event costs the target */
	/* Called when the queue has new events, whose texts no longer move. NULL: nothing to do. */
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

/* Makes the report and the observer, not started; call tracker_fini() even after a failure. */
int tracker_begin(struct tracker *t, const char *name, const char *probe, size_t event_size,
	const struct sooth_observer_options *options, struct sooth_error *err);
int tracker_add(struct tracker *t, const struct tracker_target *target, struct sooth_error *err);
int tracker_start(struct tracker *t, struct sooth_error *err);
/* Counts a record of lost events, the begin of a phase, or a pause; ignores all others. */
void tracker_count(struct tracker *t, const struct sooth_record *record);
/* Returns -ENOMEM if memory ran out for an event. */
int tracker_check(const struct tracker *t);
/* Returns the phase at `time_ns`; NULL: none had begun. */
const char *tracker_phase_at(const struct tracker *t, uint64_t time_ns);
/* Waits up to timeout_ms for an event, -1: until the target has ended. 1: *event is set; 0:
 * none. */
int tracker_next(struct tracker *t, int timeout_ms, const void **event, struct sooth_error *err);
/* Does the same for all available events. Returns their number. */
ssize_t tracker_batch(
	struct tracker *t, int timeout_ms, const void *const **events, struct sooth_error *err);
/* Moves all events until now into the queue, without waiting for more. */
int tracker_collect(struct tracker *t, struct sooth_error *err);
/* Moves new events into an empty queue. Returns whether the queue has events. */
bool tracker_turn(struct tracker *t);
size_t tracker_waiting(const struct tracker *t);
bool tracker_is_over(const struct tracker *t);
int tracker_fd(struct tracker *t);
int tracker_stop(struct tracker *t, struct sooth_error *err);
void tracker_fini(struct tracker *t);
/* `stats`: a struct sooth_heap_stats or similar; only the members within its `size` are filled. */
struct tracker_stats {
	size_t size;
	uint64_t events, waiting, dropped, pauses, paused_ns, event_ns;
};
void tracker_stats(const struct tracker *t, void *stats);

/* SPDX-License-Identifier: BSD-2-Clause */
/* State shared by the parts of the observer: making and running it, starting it, admitting
 * records. */
#ifndef SOOTH_COLLECT_OBSERVER_STATE_H
#define SOOTH_COLLECT_OBSERVER_STATE_H

#include <errno.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "recognize/agent_set.h"
#include "capture/writer.h"
#include "collect/hub.h"
#include "collect/observer.h"
#include "collect/stream.h"
#include "collect/target.h"

struct observed_probe {
	const char *name;
	unsigned interest;
	struct hub_source *source;
	bool is_started;
};

struct sooth_observer {
	struct sooth_observer_options options;
	struct log log;
	const struct os *os;
	struct hub *hub;
	struct target target;
	struct observed_probe probes[STREAM_SOURCES_MAX]; /* index: the stream's source; 0 unused */
	unsigned probe_count;
	struct agent_set *agents; /* NULL: the built-in ones */
	struct buffer limits;	  /* records: what was known before the start */
	struct stream stream;
	struct capture_writer *capture;
	uint64_t last_tick_ns, last_sweep_ns, last_sample_ns, last_edges_ns;
	struct process_id last_member; /* the filter's memory: records come in runs */
	unsigned exec_teller;	       /* the source of exec records; 0: none yet */
	struct buffer pauses;	       /* struct observer_pause, in order of time */
	struct os_watch watch;	       /* for the caller's event loop */
	pid_t owner; /* the process that made it: a child by fork() must not use it */
	bool is_running;
	bool has_started;
	bool reported_of_ends; /* some backend reports ends itself */
};

/* Events in this time are not recorded. */
struct observer_pause {
	uint64_t from_ns, to_ns; /* UINT64_MAX: it lasts */
};

/* Where the collector's own records go. */
static inline struct buffer *observer_out(struct sooth_observer *o)
{
	return stream_source(&o->stream, STREAM_COLLECTOR);
}

/*
 * -EPERM in a child made by fork(): it shares what is attached and mapped with its parent, and
 * would take the parent's records, or end its observation.
 */
static inline int observer_check_owner(const struct sooth_observer *o, struct sooth_error *err)
{
	if (o->owner == getpid())
		return 0;
	error_set(err, -EPERM, SOOTH_FAULT_USAGE, "use an observer of another process");
	error_why(err, "this process was made by fork() since, and shares what is attached");
	return error_remedy(err, "use it in the process that made it, or make one here");
}

/* Adds a process to the target, while the observer runs. */
int observer_join(struct sooth_observer *o, pid_t pid, struct sooth_error *err);

/* As sooth_observer_pause(), whether it runs or not. */
int observer_pause_begin(struct sooth_observer *o, struct sooth_error *err);
/* Whether the event is in a pause; it may come after that has ended. */
bool observer_is_paused(const struct sooth_observer *o, const struct sooth_record *event);
/* To be called when all records up to `complete_ns` have come. */
void observer_forget_pauses(struct sooth_observer *o, uint64_t complete_ns);
/* Let go of the live processes up to a position of target_next(); SIZE_MAX: all. */
void observer_unwant(struct sooth_observer *o, struct observed_probe *p, size_t until);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* State shared by observer.c, observer_start.c and
 * observer_control.c. */
#pragma once

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
	bool is_late; /* only of a process that was named, and its children */
};

struct sooth_observer {
	struct sooth_observer_options options;
	struct log log;
	const struct os *os;
	struct hub *hub;
	struct target target;
	struct observed_probe probes[STREAM_SOURCES_MAX]; /* by source of the stream; 0 is unused */
	unsigned probe_count;
	struct agent_set *agents; /* NULL: the built-in ones */
	struct buffer limits;	  /* records of limits known before the start */
	struct stream stream;
	struct capture_writer *capture;
	uint64_t last_tick_ns, last_sweep_ns, last_sample_ns, last_edges_ns;
	struct process_id last_member; /* cache of the filter: records come in runs */
	unsigned exec_teller;	       /* the source of exec records; 0: none yet */
	struct buffer pauses;	       /* struct observer_pause, in order of time */
	struct os_watch watch;	       /* descriptor for the caller's event loop */
	pid_t owner; /* process that made the observer: a child by fork() must not use it */
	bool is_running;
	bool has_started;
	bool reported_of_ends; /* a backend reports ends of processes itself */
};

/* Events in this time are not recorded. */
struct observer_pause {
	uint64_t from_ns, to_ns; /* to_ns UINT64_MAX: the pause goes on */
};

/* Returns the buffer of the collector's own records. */
static inline struct buffer *observer_out(struct sooth_observer *o)
{
	return stream_source(&o->stream, STREAM_COLLECTOR);
}

/*
 * Returns -EPERM in a child made by fork(): it shares attachments and mappings with its parent, so
 * it would take the parent's records, or end the parent's observation.
 */
static inline int observer_check_owner(const struct sooth_observer *o, struct sooth_error *err)
{
	if (o->owner == getpid())
		return 0;
	error_set(err, -EPERM, SOOTH_FAULT_USAGE, "use an observer of another process");
	error_why(err, "its probes belong to the process before fork(), not to this child");
	return error_remedy(err, "use the observer in the process that made it, or make another "
				 "observer in this process");
}

/* Opens the source of the probe of this index, and writes its definition. */
int observer_acquire(struct sooth_observer *o, unsigned probe, struct sooth_error *err);
/* Writes the schemas of a probe's records. */
void observer_write_schemas(struct sooth_observer *o, const char *probe);

/* Adds a process to the target, while the observer runs. */
int observer_join(struct sooth_observer *o, pid_t pid, struct sooth_error *err);

/* Begins a pause like sooth_observer_pause(), but also before the observer runs. */
int observer_pause_begin(struct sooth_observer *o, struct sooth_error *err);
/* Returns whether the time of the event is in a pause; the event may arrive after the pause. */
bool observer_is_paused(const struct sooth_observer *o, const struct sooth_record *event);
/* Forgets pauses before `complete_ns`, up to which all records have come. */
void observer_forget_pauses(struct sooth_observer *o, uint64_t complete_ns);
/* Withdraws the requests for live processes up to a position of target_next(); SIZE_MAX: all. */
void observer_unwant(struct sooth_observer *o, struct observed_probe *p, size_t until);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The activity of each session over time, from the process table after each sample. If the activity
 * changed between two samples, the agent's own files often have the time.
 */
#pragma once

#include "analyze/activity/activity.h"
#include "analyze/diagnosis/endings.h"
#include "analyze/process_table/host_state.h"
#include "base/map.h"
#include "model/batch.h"

struct phase_tracker {
	struct map sessions;  /* process_id of the main process -> struct phase_session */
	struct map members;   /* process_id -> struct phase_member */
	struct buffer out;    /* records of the spans that ended; the caller empties it */
	uint64_t last_ns;     /* time of the last sample; 0: none */
	uint64_t interval_ns; /* time between the last two samples */
	int64_t realtime_offset_ns;
	uint64_t sample;
	const struct endings *endings; /* exits of processes, borrowed; NULL: unknown */
};

void phase_tracker_init(struct phase_tracker *t);
void phase_tracker_fini(struct phase_tracker *t);
/* Adds a sample, whose process table must be resolved. */
void phase_tracker_sample(struct phase_tracker *t, const struct host_state *host);
/* Appends the spans that are under way, up to the last sample. They go on. */
void phase_tracker_append_current(const struct phase_tracker *t, struct buffer *out);
/* Ends every span at the last sample. */
void phase_tracker_finish(struct phase_tracker *t);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What views of the host's processes collect while records come: the process table, the host, the
 * clock. It takes batches and knows nothing of rows.
 */
#ifndef SOOTH_ANALYZE_HOST_STATE_H
#define SOOTH_ANALYZE_HOST_STATE_H

#include "analyze/process_table/process_table.h"
#include "analyze/snapshots.h"
#include "probes/sockets.h"
#include "analyze/process_table/short_lived.h"
#include "base/error.h"
#include "model/stream_records.h"

struct host_state {
	struct process_table process_table;
	struct short_lived short_lived;
	struct snapshots sockets; /* empty if the probe sockets did not run */
	struct stream_segment *segment; /* owned; NULL: none yet */
	int64_t realtime_offset_ns;	/* the latest: the clock may be set during the run */
	uint64_t last_ns;
	bool is_named;	     /* the target is processes, not a host or a user */
	struct buffer asked; /* uint32_t: the selected pids */
};

void host_state_init(struct host_state *h);
void host_state_fini(struct host_state *h);
void host_state_take(struct host_state *h, const struct batch *batch);
/* Resolves the process table. 0 or a negative errno with err filled. */
int host_state_resolve(struct host_state *h, struct sooth_error *err);
/* Starts the next interval of a repeated report. */
void host_state_next_interval(struct host_state *h);

/* A text of the host record; empty: no host record came. */
struct span host_state_text(const struct host_state *h, const struct sooth_text *text);
uint64_t host_state_memory(const struct host_state *h); /* bytes; 0: unknown */
uint64_t host_state_utc(const struct host_state *h);	/* ns since 1970; 0: unknown */
/* Seconds from its start until its last sample. */
uint64_t host_state_elapsed(const struct host_state *h, const struct process_entry *p);

#endif

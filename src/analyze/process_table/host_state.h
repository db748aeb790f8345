/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What views of a host's processes keep while records come: the census, what the host is,
 * and what time it was. It takes batches and knows nothing of rows.
 */
#ifndef SOOTH_ANALYZE_HOST_STATE_H
#define SOOTH_ANALYZE_HOST_STATE_H

#include "analyze/process_table/process_table.h"
#include "analyze/process_table/short_lived.h"
#include "base/error.h"
#include "model/stream_records.h"

struct host_state {
	struct process_table process_table;
	struct fleeting fleeting;
	struct stream_segment *segment; /* owned; NULL: none came */
	int64_t realtime_offset_ns;	/* the newest: the clock may be set meanwhile */
	uint64_t last_ns;
	bool is_named;	     /* the target is processes, not a host or a user */
	struct buffer asked; /* uint32_t: the pids that were meant */
};

void host_state_init(struct host_state *h);
void host_state_fini(struct host_state *h);
void host_state_take(struct host_state *h, const struct batch *batch);
/* Settles the census. 0 or a negative errno with err filled. */
int host_state_resolve(struct host_state *h, struct sooth_error *err);
/* From here on is the next interval of a report that is told again and again. */
void host_state_next_interval(struct host_state *h);

/* Of the host record; empty: none came. */
struct span host_state_text(const struct host_state *h, const struct sooth_text *text);
uint64_t host_state_memory(const struct host_state *h); /* bytes; 0: not known */
uint64_t host_state_utc(const struct host_state *h);	/* ns since 1970; 0: not known */
/* In seconds, since it started until it was last seen. */
uint64_t host_state_elapsed(const struct host_state *h, const struct process_entry *p);

#endif

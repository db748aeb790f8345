/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of every report: target, interval, how it was measured, what was lost, what could not be
 * seen, and the cost.
 */
#pragma once

#include "base/map.h"
#include "capture/block.h"
#include "recognize/agent_set.h"
#include "explain/time_range.h"
#include "model/stream_records.h"

#define SUMMARY_NOTES_MAX 256 /* different losses, limits and sources shown */

struct summary {
	struct buffer target;	  /* the stream.target record */
	struct buffer sources;	  /* stream.source records */
	struct buffer losses;	  /* stream.loss records, one for each source and reason */
	struct buffer limits;	  /* stream.limit records, each once */
	struct buffer marks;	  /* stream.mark records */
	struct agent_set *agents; /* NULL: the built-in ones */
	struct stream_self self;
	const struct time_range *part; /* NULL: none was requested */
	uint64_t begin_ns, end_ns, last_ns;
	uint32_t end_reason;
	int32_t child_status;
	uint64_t notes_refused, mark_count;
	uint64_t unknown_records;
	bool is_observation; /* false: the source only looked at this host */
	bool has_segment, has_end, has_self;
	bool is_unread;		/* only a part of the capture was read, as requested */
	bool is_snapshot;	/* the summary is of a recording that goes on */
	bool are_gaps_reported; /* a view reports gaps itself: limits without a remedy are printed
				   only with -v */
	bool hides_fallbacks;	/* no view measures less by a fallback */
	bool is_newer;		/* the capture is of a later format than this build knows */
};

/* Ends the interval with the time range when no more records come. summary_losses() is called
 * later. */
void summary_end_time_range(struct summary *s);
void summary_add_record(struct summary *s, const struct sooth_record *r);
/* Returns whether the recording has no end. */
bool summary_is_cut(const struct summary *s);
/* Adds the losses that the reader and the merge found. `reader` is NULL for a live stream. */
void summary_losses(struct summary *s, const struct block_reader *reader, uint64_t late_records);
bool summary_has_probe(const struct summary *s, const char *probe);
int summary_emit(struct summary *s, struct output *output, struct sooth_error *err);
void summary_fini(struct summary *s);

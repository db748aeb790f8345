/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A time range of a capture: which records belong to it, and what cannot be known of it. Earlier
 * definitions and records about the whole recording are kept; a count that crosses an edge is left
 * out and reported. Start and end of the recording move to the edges, so rates are of the range.
 */
#ifndef SOOTH_EXPLAIN_TIME_RANGE_H
#define SOOTH_EXPLAIN_TIME_RANGE_H

#include "capture/index.h"
#include "explain/output.h"

#define TIME_RANGE_OPEN INT64_MAX /* to the end */

/* Zero-initialised is the whole. */
struct time_range {
	bool is_requested;
	int64_t requested_from_ns; /* since the begin; below 0: before the end */
	int64_t requested_to_ns;
	bool is_known; /* what follows is: the begin, and where it counts the end, were seen */
	uint64_t from_ns, to_ns;   /* CLOCK_MONOTONIC; to_ns is not in it */
	uint64_t begin_ns, end_ns; /* of the capture; end_ns is that of the latest record if cut */
	bool has_end;
	bool is_resolved;  /* no more is learned of the capture's begin and end */
	uint64_t left_out; /* records over a time that reaches over a border */
	struct buffer kept;
	uint16_t kind; /* of the record before, and what it speaks of */
	enum sooth_time_span time_span;
};

/* -EINVAL when nothing can lie between the two. */
int time_range_ask(struct time_range *p, int64_t from_ns, int64_t to_ns, struct sooth_error *err);
bool time_range_needs_end(const struct time_range *p);
/* Takes begin and end from an index, or from a first reading. */
void time_range_learn(struct time_range *p, const struct survey *s);
/* No more will come. */
void part_end(struct time_range *p);
/* The records in the range, borrowed until the next call; batches come in order of time. Without
 * memory `kept` has failed. */
struct batch time_range_take(struct time_range *p, const struct batch *batch);
/* An entry_chooser, of a part that is known; user is the struct part. */
bool time_range_wants(void *user, const struct index_entry *e);
/* An index_check. */
bool time_range_classify(const struct sooth_record *r, uint64_t *since_ns);
/* At the end: -EINVAL when the capture ends before the part begins. */
int time_range_check(const struct time_range *p, struct sooth_error *err);
/* Note the range and what was left out. Nothing for a whole capture. */
int time_range_emit(const struct time_range *p, struct output *output, struct sooth_error *err);
/* A line about the records that were left out; none if there are none. */
void time_range_loss_line(const struct time_range *p, struct buffer *lines);
void time_range_fini(struct time_range *p);

#endif

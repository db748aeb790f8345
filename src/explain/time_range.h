/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A time range of a capture: the records in the range, and what cannot be known of it. Earlier
 * definitions and records about the whole recording are kept; a count that crosses an edge is left
 * out and reported. Start and end of the recording move to the edges, so rates are rates of the
 * range.
 */
#pragma once

#include "capture/index.h"
#include "explain/output.h"

#define TIME_RANGE_OPEN INT64_MAX /* the range goes to the end */

/* A zero-initialised struct is the whole capture. */
struct time_range {
	bool is_requested;
	int64_t requested_from_ns; /* time since the begin; below 0: before the end */
	int64_t requested_to_ns;
	bool is_known;		   /* the next members are known: the needed edges were seen */
	uint64_t from_ns, to_ns;   /* CLOCK_MONOTONIC; to_ns itself is outside */
	uint64_t begin_ns, end_ns; /* times of the capture; end_ns is that of the latest record if
				      the capture is cut */
	bool has_end;
	bool is_resolved;  /* begin and end of the capture will not change */
	uint64_t left_out; /* records over a time that crosses an edge */
	struct buffer kept;
	uint16_t kind; /* kind of the record before, and its time span */
	enum sooth_time_span time_span;
};

/* Sets the range. -EINVAL when no time can be between the two. */
int time_range_ask(struct time_range *p, int64_t from_ns, int64_t to_ns, struct sooth_error *err);
bool time_range_needs_end(const struct time_range *p);
/* Sets the begin and end of the capture from an index, or from a first pass. */
void time_range_learn(struct time_range *p, const struct survey *s);
/* Says that no more records follow. */
void part_end(struct time_range *p);
/* Returns the records in the range, borrowed until the next call; batches come in order of time.
 * Without memory, `kept` has failed. */
struct batch time_range_select(struct time_range *p, const struct batch *batch);
/* Chooses blocks of a known range: an entry_chooser whose `user` is the struct time_range. */
bool time_range_wants(void *user, const struct index_entry *e);
/* Classifies a record: an index_check. */
bool time_range_classify(const struct sooth_record *r, uint64_t *since_ns);
/* Checks the range at the end. -EINVAL when the capture ends before the range begins. */
int time_range_check(const struct time_range *p, struct sooth_error *err);
/* Emits the range and what was left out. For a whole capture it emits nothing. */
int time_range_emit(const struct time_range *p, struct output *output, struct sooth_error *err);
/* Appends a line about the records that were left out, if there are any. */
void time_range_loss_line(const struct time_range *p, struct buffer *lines);
void time_range_fini(struct time_range *p);

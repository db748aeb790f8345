/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that came before the first snapshot of their process's descriptors. sooth attaches
 * first and reads then, so the first calls use numbers that are not known yet. They are
 * held until the readings have come; what a reading names, and no call before it made, was there
 * from the start. Bounded in records and in time: then they go on as they are.
 */
#ifndef SOOTH_ANALYZE_CALL_BACKLOG_H
#define SOOTH_ANALYZE_CALL_BACKLOG_H

#include "analyze/calls/fd_follow.h"
#include "base/error.h"
#include "model/batch.h"

typedef int (*backlog_take)(void *state, const struct sooth_record *r, struct sooth_error *err);

struct call_backlog {
	struct fd_follow *fds;
	backlog_take take;
	void *state;
	struct buffer held;   /* whole records, in order */
	struct map processes; /* process_id -> what came of it */
	uint64_t first_ns;    /* the first call; 0: none */
	uint64_t waiting;     /* processes that called and were not read */
	bool has_begun, is_over;
};

/* `fds` gets the readings ahead of the calls they were late for; `take` gets every record in its
 * order, and hands it to `fds` itself. */
void call_backlog_init(
	struct call_backlog *b, struct fd_follow *fds, backlog_take take, void *state);
void call_backlog_fini(struct call_backlog *b);
int call_backlog_record(
	struct call_backlog *b, const struct sooth_record *r, struct sooth_error *err);
int call_backlog_push(struct call_backlog *b, const struct batch *batch, struct sooth_error *err);
/* Nothing comes any more. */
int call_backlog_end(struct call_backlog *b, struct sooth_error *err);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* How processes ended, as the probe ends told: each with what bore on it, and what the kernel's
 * log and the store of cores say of others. */
#ifndef SOOTH_ANALYZE_ENDINGS_H
#define SOOTH_ANALYZE_ENDINGS_H

#include "analyze/records.h"
#include "base/map.h"
#include "probes/exit_reasons.h"

#define ENDING_SIGNALS 3

struct ending {
	struct process_id id;
	bool has_end, has_oom;
	struct exit_reasons_end end;
	struct exit_reasons_oom oom;
	struct exit_reasons_signal signals[ENDING_SIGNALS]; /* in no order */
	unsigned signal_count;
	struct exit_reasons_core *core; /* owned; NULL: none was told */
};

struct endings {
	struct map processes;		/* process_id -> struct ending */
	struct buffer logs;		/* struct exit_reasons_log, whole records */
	struct buffer stored;		/* struct exit_reasons_core, of no process */
	struct exit_reasons_host *host; /* owned; NULL: none was told */
	uint32_t launched_pid;		/* 0: no command was launched */
	int32_t launched_status;	/* -1: it has not ended, or was not told */
};

void endings_init(struct endings *e);
void endings_fini(struct endings *e);
void endings_take(struct endings *e, const struct sooth_record *r);
/* NULL: it was not seen to end. */
const struct ending *endings_get(const struct endings *e, const struct process_id *id);
/* Walk those that ended; *position starts at 0. */
const struct ending *endings_next(const struct endings *e, size_t *position);
/* The last that the log says of that number after a time; NULL: nothing. */
const struct exit_reasons_log *endings_log(const struct endings *e, uint32_t pid, uint64_t from_ns);
/* A core that was kept of that number; NULL: none. */
const struct exit_reasons_core *endings_stored(const struct endings *e, uint32_t pid);

/* What it was called, as far as its end or the log tells. */
struct span ending_name(const struct endings *e, const struct process_id *id);
/* How it ended: of a launched command what sooth itself waited for, where nothing else is known. */
uint8_t ending_status(const struct endings *e, const struct ending *of, uint32_t *status);
/* The signal of that number that it was sent; NULL: none was seen. */
const struct exit_reasons_signal *ending_signal(const struct ending *of, unsigned number);
/* The last that asked it to end: SIGTERM and its like; NULL: none was seen. */
const struct exit_reasons_signal *ending_request(const struct ending *of);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events that are undecided when the observation ends, so that it goes on for a while:
 * - memory that still grows: a start, a cache or garbage ends;
 * - a wait for a name server, which may last as long as the observation;
 * - a command that failed each time, but too few times to say that it keeps failing;
 * - an error on standard error that was repeated once;
 * - one or two connections that were closed without a good answer: a failed request is tried again
 *   after a pause;
 * - a process that was sent SIGTERM, once or twice, and has not ended;
 * - a process that slept all the time, and wakes soon: it may try something every few seconds;
 * - one that sleeps, and found once or twice that a file exists: it may be a lock.
 */
#pragma once

#include <sooth/report.h>

#include "base/map.h"
#include "model/stream_records.h"

#define UNDECIDED_COMMANDS 32

struct undecided {
	struct map processes; /* struct process_id -> struct of undecided.c */
	const uint32_t *selected;
	size_t selected_count;
	struct undecided_command {
		char name[PROCESS_NAME_SIZE + 1];
		unsigned failed, succeeded;
	} commands[UNDECIDED_COMMANDS]; /* commands that ended, by name */
	size_t command_count;
	uint64_t streams;    /* bit set of descriptors below 64 that are stream sockets */
	uint64_t connecting; /* descriptors of `streams` that began to connect */
	uint64_t answered, answered_again; /* descriptors of these that received last; that were
					      answered twice */
	uint64_t asked;		      /* descriptors of these that sent again after an answer */
	unsigned connections, closed; /* closed: those without a good answer */
	uint32_t requested_pid;	      /* PID of the last process that was sent SIGTERM */
	unsigned requests;	      /* number of signals to that process; 0: it has ended */
	/* the first two errors on standard error: a message and the exception behind it */
	struct undecided_error {
		uint64_t form;
		unsigned times;
	} errors[2];
	unsigned exist;	 /* number of files that could not be made because they exist */
	uint64_t now_ns; /* time of the last record */
	unsigned times;	 /* number of times that the observation was continued */
};

/* `selected`: pids, borrowed. */
void undecided_init(struct undecided *g, const uint32_t *selected, size_t selected_count);
void undecided_fini(struct undecided *g);
/* A sooth_record_handler. */
int undecided_add_record(
	void *undecided, const struct sooth_schema *schema, const struct sooth_record *record);
/* Returns for how long to continue the observation; 0: nothing is undecided, or it was continued
 * already. */
uint64_t undecided_more(void *undecided);
/* Returns the process whose memory grows most, of those that do not compute; NULL: none grows. */
const struct process_id *undecided_growing(const struct undecided *g);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notes that every view of system calls adds: how its target was paused, and its io_uring requests,
 * which are no system calls.
 */
#pragma once

#include "analyze/pauses.h"
#include "explain/reduce.h"
#include "probes/syscalls.h"

struct call_notes {
	struct pauses holds;
	struct reducer urings;		       /* struct syscalls_uring by opcode */
	uint64_t followed[SYSCALLS_URING_OPS]; /* requests of these that are in the tables of the
						  view */
};

extern const struct sooth_schema call_notes_uring_schema;

int call_notes_init(struct call_notes *n, struct sooth_error *err);
void call_notes_add_record(struct call_notes *n, const struct sooth_record *r);
/* Notes that the view's tables have this kind of request, so that it is no limit. */
void call_notes_followed(struct call_notes *n, uint32_t opcode);
/* Emits the notes at the end of a report, with io_uring as a limit. */
int call_notes_emit(struct call_notes *n, struct output *output, struct sooth_error *err);
/* Notes that calls have no measured time: some of them, or `calls` of them. Nothing is noted for
 * 0. */
void call_note_some_unseen(struct output *output, const char *what);
void call_note_unseen(struct output *output, uint64_t calls);
/* Emits the same notes as call_notes_emit(), with io_uring as a table of its own. */
int call_notes_emit_table(struct call_notes *n, struct output *output, struct sooth_error *err);
void call_notes_fini(struct call_notes *n);

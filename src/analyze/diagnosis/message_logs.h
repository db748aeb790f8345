/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Treats standard error as a log where it is no file: LOGS_FILE without a path, and LOGS_ERROR. The
 * messages of a command that has ended count for the process that started the command: both usually
 * have the same standard error.
 */
#pragma once

#include "analyze/process_table/process_table.h"
#include "base/map.h"
#include "model/batch.h"
#include "probes/syscalls.h"

struct message_logs {
	struct map writers;   /* process_id -> the messages it has written */
	uint64_t new_from_ns; /* begin of the interval */
};

void message_logs_init(struct message_logs *m);
void message_logs_fini(struct message_logs *m);
void message_logs_add_record(struct message_logs *m, const struct sooth_record *r);
/* To be called after the last record; `now_ns` is the end of what was observed. */
void message_logs_resolve(
	struct message_logs *m, const struct process_table *table, uint64_t now_ns);
void message_logs_next_interval(struct message_logs *m, uint64_t now_ns);
/* Returns the log of a process: LOGS_FILE, then LOGS_ERROR; empty: it wrote none. */
struct batch message_logs_get(const struct message_logs *m, const struct process_id *id);
/* Returns what a process wrote last, if it ended with an error; borrowed; NULL: it is not known. */
const struct syscalls_message *message_logs_last_words(
	const struct message_logs *m, const struct process_id *id);
/* Returns how many calls of the interval wrote to the standard output of the process. */
uint64_t message_logs_outputs(const struct message_logs *m, const struct process_id *id);

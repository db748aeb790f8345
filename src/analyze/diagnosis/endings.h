/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How processes ended, as the probe exit_reasons recorded it, with the signals, OOM kills and cores
 * of each process; and entries of the kernel log and the core store about other processes.
 */
#pragma once

#include "analyze/records.h"
#include "base/map.h"
#include "probes/exit_reasons.h"

#define ENDING_SIGNALS	     3
#define END_SIGNAL(status)   ((status)&0x7f)
#define END_EXIT(status)     ((status) >> 8 & 0xff)
#define END_HAS_CORE(status) (((status)&EXIT_REASONS_CORE_FLAG) != 0)
/* Plus N: exit status of a shell whose command was ended by signal N. */
#define END_SHELL_SIGNAL 128
/* Arguments for "%.*s": a name in the fixed part of a record. */
#define END_NAME(name) (int)strnlen(name, sizeof(name)), name

struct ending {
	struct process_id id;
	bool has_end, has_oom;
	struct exit_reasons_end end;
	struct exit_reasons_oom oom;
	struct exit_reasons_signal signals[ENDING_SIGNALS]; /* signals, in no order */
	unsigned signal_count;
	struct exit_reasons_core *core; /* owned; NULL: none was recorded */
};

struct endings {
	struct map processes;		/* process_id -> struct ending */
	struct map children;		/* process_id -> struct exit_reasons_child */
	struct buffer logs;		/* struct exit_reasons_log, whole records */
	struct buffer stored;		/* struct exit_reasons_core of no known process */
	struct exit_reasons_host *host; /* owned; NULL: none was recorded */
	uint32_t launched_pid;		/* 0: no command was launched */
	int32_t launched_status;	/* -1: still running, or not recorded */
};

void endings_init(struct endings *e);
void endings_fini(struct endings *e);
void endings_add_record(struct endings *e, const struct sooth_record *r);
/* Forgets all but the ends at or after a time. */
void endings_forget_before(struct endings *e, uint64_t time_ns);
/* Forgets the children. */
void endings_next_interval(struct endings *e);
/* Returns the end of a process; NULL: its exit was not seen. */
const struct ending *endings_get(const struct endings *e, const struct process_id *id);
/* Iterates over the processes that ended; *position starts at 0. */
const struct ending *endings_next(const struct endings *e, size_t *position);
/* Returns the last log entry of that pid after a time; NULL: none. */
const struct exit_reasons_log *endings_log(const struct endings *e, uint32_t pid, uint64_t from_ns);
/* Returns a stored core of that pid; NULL: none. */
const struct exit_reasons_core *endings_stored(const struct endings *e, uint32_t pid);

/* Returns the name of the process, from its exit or the log. */
struct span ending_name(const struct endings *e, const struct process_id *id);
/* Sets `status` to the exit status of the process, and returns its state. For a launched command
 * without another source it is the status that sooth's wait returned. */
uint8_t ending_status(const struct endings *e, const struct ending *of, uint32_t *status);
/* Returns the signal of that number that the process was sent; NULL: none was seen. */
const struct exit_reasons_signal *ending_signal(const struct ending *of, unsigned number);
/* Returns the last request to end (SIGTERM and similar) that the process was sent; NULL: none was
 * seen. */
const struct exit_reasons_signal *ending_request(const struct ending *of);

/* --- as text --- */

/* Returns whether the kernel sends this signal for a faulty instruction: an invalid address, ... */
bool exit_reason_is_fault(unsigned signal);
/* Appends "exit status 1" or "SIGSEGV, with a core". */
void exit_reason_text_status(struct buffer *out, uint32_t status);
/* Appends "its parent make (pid 12)", "kill (pid 14), started by bash (pid 9)", "the kernel" or
 * "itself". */
void exit_reason_text_sender(
	struct buffer *out, const struct ending *of, const struct exit_reasons_signal *s);
/* Returns whether the kernel sent SIGKILL because memory ran out. */
bool exit_reason_is_oom(const struct ending *of, uint32_t status);
/* Appends "killed by SIGKILL from bash (pid 9)", "exited with status 0 after SIGTERM from itself"
 * or "killed by the kernel: out of memory"; nothing if the status is unknown. Returns the state of
 * the status. */
uint8_t exit_reason_text_end(
	struct buffer *out, const struct endings *all, const struct ending *of);
/* Appends "/tmp/core, 3.1M" or "handed to /usr/lib/x"; nothing if no core is known. */
void exit_reason_text_core(struct buffer *out, const struct exit_reasons_core *core);

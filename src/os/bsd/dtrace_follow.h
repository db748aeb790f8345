/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows processes by a program of dtrace(1), which runs as a child. Its lines about joins, execs
 * and ends become records here; the backend gets the other lines. If another process is selected
 * while the program runs, the program is restarted, and events in between are lost.
 */
#pragma once

#include "base/map.h"
#include "collect/backend.h"
#include "os/bsd/dtrace_lines.h"
#include "os/bsd/dtrace_program.h"
#include "os/bsd/tool.h"

struct dtrace_process {
	struct process_id id;
	unsigned interest;
	bool is_before_exec; /* still a copy of sooth, before its exec */
	char name[DTRACE_TEXT_SIZE];
};

struct dtrace_follow {
	struct tool tool;
	struct map processes; /* uint32_t, pid -> struct dtrace_process */
	struct buffer pids, others;
	int64_t realtime_offset_ns;
	uint64_t unread; /* lines that could not be parsed */
	bool runs, is_outdated;
};

/* Writes the program for these targets. */
typedef void (*dtrace_writer)(
	struct backend_run *run, const struct dtrace_targets *targets, struct buffer *out);
/* Gets a line of output about a followed process. `process` is NULL if the line is about no such
 * process (a warning, the frame of a stack), or if the process has not run its own program yet.
 * `whole` is the text of the line. */
typedef void (*dtrace_visitor)(struct backend_run *run, struct dtrace_process *process,
	const struct dtrace_line *line, struct span whole, uint64_t time_ns);

extern const struct need need_dtrace;

int dtrace_follow_open(struct dtrace_follow *f, struct sooth_error *err);
void dtrace_follow_close(struct dtrace_follow *f);
int dtrace_follow_set_interest(struct dtrace_follow *f, struct backend_run *run,
	const struct process_id *process, unsigned interest, struct sooth_error *err);
/* Starts the program, and waits until its probes are active. */
int dtrace_follow_start(struct dtrace_follow *f, struct backend_run *run, dtrace_writer writer,
	struct sooth_error *err);
int dtrace_follow_drain(struct dtrace_follow *f, struct backend_run *run, dtrace_writer writer,
	dtrace_visitor visitor, struct sooth_error *err);
/* Ends the program, and reads its last lines. */
void dtrace_follow_stop(struct dtrace_follow *f, struct backend_run *run, dtrace_visitor visitor);

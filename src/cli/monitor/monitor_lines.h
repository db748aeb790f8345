/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of the monitor beside those of its views, and the report of its state. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/cursor.h"
#include "cli/command/command.h"

#define MONITOR_PHASE_BYTES 256

/* A phase of the target, and its begin; name empty: no phase has begun. */
struct monitor_phase {
	char name[MONITOR_PHASE_BYTES];
	uint64_t time_ns;
};

/* Tables of the lines and of the report, for struct command; NULL at the end. */
extern const struct command_table monitor_line_tables[];
extern const struct command_table monitor_report_tables[];

/* These set `out` to an object of JSON without a newline. */
void monitor_line_begin(struct buffer *out, const char *feeds);
void monitor_line_process(struct buffer *out, uint32_t pid, const char *name);
/* Sets `out` to a line about lost records. `pid` 0: the loss is not about one process. */
void monitor_line_loss(
	struct buffer *out, uint64_t records, uint32_t pid, const char *reason, size_t size);
void monitor_line_error(struct buffer *out, const char *what, const char *why);
/* Sets `out` to a line about a mark. `what`: enum stream_mark_what; only a phase has a name. */
void monitor_line_mark(
	struct buffer *out, const char *feed, uint64_t time_ns, uint32_t what, struct span name);

/* One kind of records. */
struct monitor_feed_row {
	const char *name;
	uint64_t records; /* records written to readers */
	uint32_t readers, processes;
	bool is_attached, is_paused;
	const char *phase; /* NULL: no phase has begun */
};

struct monitor_process {
	uint32_t pid;
	char name[16];
};

/* Writes a line of JSON about the current state of the monitor. */
void monitor_report(struct buffer *out, const struct monitor_feed_row *feeds, size_t feed_count,
	const struct monitor_process *processes, size_t process_count);

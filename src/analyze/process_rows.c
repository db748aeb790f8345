/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the view "processes". */
#include "analyze/process_rows.h"

#include "model/schema.h"

/* The scan contract's colours. */
static const double cpu_levels[SOOTH_FIELD_LEVELS] = { 20, 50, 80 };
static const double rss_levels[SOOTH_FIELD_LEVELS] = { 256u << 20, 512u << 20, 1u << 30 };

static const struct sooth_field process_fields[] = {
	FIELD_PID(process_row),
	FIELD_NUMBER(process_row, ppid, "process id of the parent"),
	{ .name = "cpu_percent",
		.label = "CPU%",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		.unit = SOOTH_UNIT_PERCENT,
		FIELD_AT(process_row, cpu_percent),
		FIELD_STATE_AT(process_row, cpu_state),
		.levels = cpu_levels,
		.help = "of one CPU, over the interval observed" },
	{ .name = "mem_percent",
		.label = "MEM%",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		.unit = SOOTH_UNIT_PERCENT,
		FIELD_AT(process_row, mem_percent),
		FIELD_STATE_AT(process_row, mem_state),
		.help = "resident, of the host's memory" },
	FIELD_NUMBER(process_row, rss_bytes, "resident memory", .label = "RSS",
		.unit = SOOTH_UNIT_BYTES, .levels = rss_levels),
	FIELD_NUMBER(process_row, rss_kb, "resident memory in KiB", .is_hidden = true),
	FIELD_NUMBER(process_row, vsz_kb, "address space in KiB", .is_hidden = true),
	{ .name = "state",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(process_row, state),
		.help = "R running, S sleeping, D uninterruptible, T stopped, Z zombie, I idle" },
	FIELD_STRING(process_row, elapsed_time, "since it started: [[days-]hours:]minutes:seconds",
		.label = "TIME"),
	FIELD_NUMBER(process_row, elapsed_s, "since it started, in seconds", .is_hidden = true),
	FIELD_NUMBER(process_row, uid, "effective user id", .is_hidden = true),
	FIELD_NUMBER(
		process_row, threads, "number of threads", .label = "THRDS", .is_hidden = true),
	FIELD_NUMBER(process_row, open_files, "open file descriptors", .is_hidden = true,
		FIELD_STATE_AT(process_row, open_files_state)),
	FIELD_STRING(process_row, agent, "the agent it was recognised as",
		FIELD_STATE_AT(process_row, agent_state)),
	FIELD_STRING(process_row, rule, "why it was recognised", .is_hidden = true,
		.may_shrink = true, FIELD_STATE_AT(process_row, agent_state)),
	FIELD_STRING(process_row, version, "version of the agent",
		FIELD_STATE_AT(process_row, version_state)),
	FIELD_STRING(process_row, project, "what it works on", .may_shrink = true,
		FIELD_STATE_AT(process_row, project_state)),
	FIELD_STRING(process_row, session_id, "session of the agent", .is_hidden = true,
		FIELD_STATE_AT(process_row, session_state)),
	FIELD_TRUTH(process_row, is_orphaned, "its session is gone", .is_hidden = true,
		FIELD_STATE_AT(process_row, orphaned_state)),
	FIELD_TRUTH(process_row, is_outdated, "a newer version is installed", .is_hidden = true,
		FIELD_STATE_AT(process_row, outdated_state)),
	FIELD_TRUTH(process_row, is_deleted, "its executable was removed or replaced",
		.is_hidden = true),
	FIELD_STRING(process_row, name, "name of the main thread", .may_shrink = true),
	FIELD_STRING(process_row, executable, "path of the executable", .is_hidden = true,
		FIELD_STATE_AT(process_row, executable_state)),
	FIELD_STRING(process_row, cwd, "working directory", .is_hidden = true,
		FIELD_STATE_AT(process_row, cwd_state)),
	{ .name = "command",
		.type = SOOTH_FIELD_ARGS,
		FIELD_AT(process_row, command),
		FIELD_STATE_AT(process_row, command_state),
		.help = "command line, secrets masked" },
};

const struct sooth_schema process_row_schema = {
	.name = "processes",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct process_row),
	SCHEMA_FIELDS(process_fields),
};

static const struct sooth_field host_fields[] = {
	FIELD_STRING(host_row, timestamp, "when, UTC"),
	FIELD_STRING(host_row, hostname, "name of the host"),
	FIELD_STRING(host_row, os, "operating system"),
	FIELD_STRING(host_row, os_version, "kernel release"),
	FIELD_STRING(host_row, latest_local_version, "newest version installed here",
		FIELD_STATE_AT(host_row, latest_state)),
	FIELD_NUMBER(host_row, process_count, "processes listed"),
	FIELD_NUMBER(host_row, orphaned_count, "of these orphaned",
		FIELD_STATE_AT(host_row, orphaned_state)),
	FIELD_NUMBER(host_row, outdated_count, "of these outdated",
		FIELD_STATE_AT(host_row, outdated_state)),
};

const struct sooth_schema host_row_schema = {
	.name = "host",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct host_row),
	SCHEMA_FIELDS(host_fields),
};

static const struct sooth_field totals_fields[] = {
	FIELD_NUMBER(totals_row, processes, "processes listed"),
	{ .name = "cpu_percent",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		FIELD_AT(totals_row, cpu_percent),
		FIELD_STATE_AT(totals_row, cpu_state),
		.help = "of one CPU, all together" },
	{ .name = "mem_percent",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		FIELD_AT(totals_row, mem_percent),
		.help = "of the host's memory" },
	FIELD_NUMBER(totals_row, rss_kb, "resident memory in KiB"),
	FIELD_STRING(totals_row, rss_human, "resident memory"),
};

const struct sooth_schema totals_row_schema = {
	.name = "totals",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct totals_row),
	SCHEMA_FIELDS(totals_fields),
	.line = "total of {processes}: {cpu_percent} % CPU, {rss_human} resident "
		"({mem_percent} % of memory; shared pages count in each)",
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the sections around the rows of processes. */
#include "analyze/processes/host_rows.h"

#include "model/schema.h"

static const struct sooth_field host_fields[] = {
	FIELD_STRING(host_row, timestamp, "time of the report, RFC 3339 UTC"),
	FIELD_STRING(host_row, hostname, "name of the host", .placeholder = "host"),
	FIELD_STRING(host_row, os, "operating system of the host"),
	FIELD_STRING(host_row, os_version, "kernel release of the host"),
	FIELD_STRING(host_row, latest_local_version,
		"newest Claude Code version installed on the host",
		FIELD_STATE_AT(host_row, latest_state)),
	FIELD_NUMBER(host_row, process_count, "number of processes listed"),
	FIELD_NUMBER(host_row, orphaned_count,
		"listed processes known to be orphaned (left behind by their agent)",
		FIELD_STATE_AT(host_row, orphaned_state)),
	FIELD_NUMBER(host_row, outdated_count, "listed processes that run an outdated version",
		FIELD_STATE_AT(host_row, outdated_state)),
	FIELD_NUMBER(host_row, abandoned_count, "listed MCP servers known to have no client",
		FIELD_STATE_AT(host_row, abandoned_state)),
};

const struct sooth_schema host_row_schema = {
	.name = "host",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct host_row),
	SCHEMA_FIELDS(host_fields),
};

static const struct sooth_field session_fields[] = {
	FIELD_PID(session_row),
	FIELD_STRING(session_row, agent, "id of the agent"),
	FIELD_STRING(session_row, project, "project directory the agent works in",
		.may_shrink = true, .placeholder = "project",
		FIELD_STATE_AT(session_row, project_state)),
	FIELD_STRING(session_row, session_id, "id of the session", .label = "SESSION",
		.may_shrink = true, .placeholder = "session",
		FIELD_STATE_AT(session_row, session_state)),
	FIELD_NUMBER(
		session_row, processes, "number of processes in the session", .label = "PROCS"),
	FIELD_NUMBER(session_row, tools, "number of running tool calls in the session",
		FIELD_STATE_AT(session_row, roles_state)),
	FIELD_NUMBER(session_row, mcp_servers, "number of MCP servers in the session",
		.label = "MCP", FIELD_STATE_AT(session_row, roles_state)),
	{ .name = "cpu_percent",
		.label = "CPU%",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		.unit = SOOTH_UNIT_PERCENT,
		FIELD_AT(session_row, cpu_percent),
		FIELD_STATE_AT(session_row, cpu_state),
		.help = "CPU use of all these processes, in percent of one CPU" },
	FIELD_NUMBER(session_row, rss_bytes,
		"resident memory of all these processes; shared pages count in each",
		.label = "RSS", .unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(session_row, oldest_s, "age of the session's oldest process, in seconds",
		.label = "OLDEST", .unit = SOOTH_UNIT_S),
	FIELD_NUMBER_AS(session_row, fleeting, short_lived,
		"number of processes that started and ended between two samples", .is_hidden = true,
		FIELD_STATE_AT(session_row, fleeting_state)),
	FIELD_STRING(session_row, status,
		"status that the agent reports about itself: busy, idle, ...",
		FIELD_STATE_AT(session_row, status_state)),
	FIELD_STRING(session_row, flags,
		"flags set for processes of the session, for example ORPHANED",
		FIELD_STATE_AT(session_row, flags_state)),
};

const struct sooth_schema session_row_schema = {
	.name = "sessions",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct session_row),
	SCHEMA_FIELDS(session_fields),
};

static const struct sooth_field reason_fields[] = {
	FIELD_PID(reason_row),
	FIELD_STRING(reason_row, name, "name of the main thread of the process"),
	FIELD_STRING(reason_row, verdict, "verdict about the process, for example ORPHANED"),
	FIELD_STRING_AS(reason_row, why, reason,
		"reason why the process counts as orphaned or abandoned, or why that is unknown",
		FIELD_STATE_AT(reason_row, why_state)),
};

const struct sooth_schema reason_row_schema = {
	.name = "reasons",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct reason_row),
	SCHEMA_FIELDS(reason_fields),
	.line = "{pid} ({name}) {verdict}[: {reason}]",
};

static const struct sooth_field installed_fields[] = {
	FIELD_STRING(installed_row, agent, "id of the agent"),
	FIELD_STRING(installed_row, version, "installed version of the agent"),
	FIELD_TRUTH(installed_row, is_newest, "this is the newest installed version of the agent",
		.label = "NEWEST"),
	FIELD_NUMBER(installed_row, uid,
		"user id of the home directory the agent is installed in; null: system-wide",
		FIELD_STATE_AT(installed_row, uid_state)),
	FIELD_STRING(installed_row, path, "path of the installed agent", .may_shrink = true),
};

const struct sooth_schema installed_row_schema = {
	.name = "installed",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct installed_row),
	SCHEMA_FIELDS(installed_fields),
};

static const struct sooth_field totals_fields[] = {
	FIELD_NUMBER(totals_row, processes, "number of processes listed"),
	{ .name = "cpu_percent",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		FIELD_AT(totals_row, cpu_percent),
		FIELD_STATE_AT(totals_row, cpu_state),
		.help = "CPU use of all these processes, in percent of one CPU" },
	{ .name = "mem_percent",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		FIELD_AT(totals_row, mem_percent),
		FIELD_STATE_AT(totals_row, mem_state),
		.help = "resident memory of all these processes, in percent of the host's memory" },
	FIELD_NUMBER(totals_row, rss_kb, "resident memory of all these processes, in KiB"),
	FIELD_STRING(
		totals_row, rss_human, "resident memory of all these processes, with its unit"),
	FIELD_NUMBER_AS(totals_row, over, over_threshold,
		"number of processes over the CPU (-k) or memory (-m) threshold",
		FIELD_STATE_AT(totals_row, over_state)),
};

const struct sooth_schema totals_row_schema = {
	.name = "totals",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct totals_row),
	SCHEMA_FIELDS(totals_fields),
	.line = "total of {processes}: {cpu_percent} % CPU, {rss_human} resident ({mem_percent} % "
		"of memory; shared pages counted once per process)[, above a threshold: "
		"{over_threshold}]",
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the rows of findings. */
#include "analyze/diagnosis/finding_rows.h"

#include "base/units.h"
#include "core/finding.h"
#include "model/schema.h"

static const char *const subject_kinds[FINDING_SUBJECTS] = {
	[FINDING_SUBJECT_HOST] = "host",
	[FINDING_SUBJECT_PROCESS] = "process",
	[FINDING_SUBJECT_THREAD] = "thread",
	[FINDING_SUBJECT_FD] = "fd",
	[FINDING_SUBJECT_CONNECTION] = "connection",
	[FINDING_SUBJECT_PATH] = "path",
};
static const struct sooth_names subject_kind_names = { FINDING_SUBJECTS, subject_kinds };

static const char *const confidences[] = { "low", "medium", "high" };
static const struct sooth_names confidence_names = { 3, confidences };

static const char *const states[FINDING_STATES] = {
	[FINDING_RAISED] = "raised",
	[FINDING_STILL] = "still",
	[FINDING_CLEARED] = "cleared",
};
static const struct sooth_names state_names = { FINDING_STATES, states };

/* Medium, high, critical. */
static const double severity_levels[SOOTH_FIELD_LEVELS] = { FINDING_MEDIUM, FINDING_HIGH,
	FINDING_CRITICAL };

#define FIELD_SEVERITY(type_, ...)                                                                 \
	{                                                                                          \
		.name = "severity", .type = SOOTH_FIELD_ENUM, FIELD_AT(type_, severity),           \
		.names = &finding_severity_names, .levels = severity_levels, __VA_ARGS__           \
	}

static const struct sooth_field finding_subject_fields[] = {
	{ .name = "kind",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(finding_subject_row, kind),
		.names = &subject_kind_names,
		.help = "what the finding is about" },
	{ .name = "pid",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(finding_subject_row, record.pid),
		FIELD_STATE_AT(finding_subject_row, pid_state),
		.help = "the process" },
	{ .name = "tid",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(finding_subject_row, record.tid),
		FIELD_STATE_AT(finding_subject_row, tid_state),
		.help = "the thread" },
	FIELD_NUMBER(finding_subject_row, fd, "the descriptor",
		FIELD_STATE_AT(finding_subject_row, fd_state)),
	FIELD_STRING(finding_subject_row, path, "the file or directory",
		FIELD_STATE_AT(finding_subject_row, path_state)),
	FIELD_STRING(finding_subject_row, connection, "the connection: its two ends",
		FIELD_STATE_AT(finding_subject_row, connection_state)),
};
ROW_SCHEMA(finding_subject, "finding.subject", finding_subject_row);

static const struct sooth_field finding_evidence_fields[] = {
	FIELD_STRING(finding_evidence_row, name, "what was measured"),
	{ .name = "value",
		.type = SOOTH_FIELD_REAL,
		.decimals = DECIMALS_EXACT, /* it may be bytes, or seconds of which few went by */
		FIELD_AT(finding_evidence_row, value),
		FIELD_STATE_AT(finding_evidence_row, value_state),
		.help = "measured value; null where the evidence is text" },
	FIELD_STRING(finding_evidence_row, unit,
		"unit of the value: bytes, s, percent, 1/s; empty: a number"),
	{ .name = "interval_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		.unit = SOOTH_UNIT_NS,
		FIELD_AT(finding_evidence_row, interval_ns),
		FIELD_STATE_AT(finding_evidence_row, interval_state),
		.help = "measured over this time; null: at one moment" },
	FIELD_STRING(finding_evidence_row, text, "measurement as text"),
};
ROW_SCHEMA(finding_evidence, "finding.evidence", finding_evidence_row, .line = "{name}: {text}");

static const struct sooth_field finding_fields[] = {
	FIELD_STRING(finding_row, id, "id; `sooth diagnose --list-findings` lists all"),
	FIELD_SEVERITY(finding_row, .help = "severity"),
	{ .name = "confidence",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(finding_row, confidence),
		.names = &confidence_names,
		.help = "confidence" },
	FIELD_ROWS(finding_row, subject, finding_subject_schema, "category of the call",
		.is_single = true, .is_hidden = true),
	FIELD_STRING(finding_row, claim, "the finding in a sentence"),
	FIELD_ROWS(finding_row, evidence, finding_evidence_schema, "measurements behind it"),
	FIELD_STRING(finding_row, remedy, "what to do", FIELD_STATE_AT(finding_row, remedy_state)),
	{ .name = "caveats",
		.type = SOOTH_FIELD_TEXTS,
		FIELD_AT(finding_row, unseen),
		.help = "what could not be seen and might change the finding" },
	FIELD_STRING(finding_row, key, "stable key of this finding of this subject"),
	FIELD_NUMBER(finding_row, first_seen_ns, "when it was first seen (CLOCK_MONOTONIC)",
		.unit = SOOTH_UNIT_TIME_NS, .is_hidden = true),
	{ .name = "first_seen_utc_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		.unit = SOOTH_UNIT_UTC_NS,
		FIELD_AT(finding_row, first_utc_ns),
		.help = "when it was first seen, ns since 1970" },
	{ .name = "last_seen_utc_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		.unit = SOOTH_UNIT_UTC_NS,
		FIELD_AT(finding_row, last_utc_ns),
		.help = "when it was last seen, ns since 1970" },
	{ .name = "state",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(finding_row, state),
		.names = &state_names,
		.help = "raised now, still there, or cleared" },
};
ROW_SCHEMA(finding, "finding", finding_row,
	.line = "{severity}: {id}: {claim} ({confidence} confidence)[\n  remedy: {remedy}][\n  not "
		"seen: {caveats}]");

static const struct sooth_field finding_change_fields[] = {
	{ .name = "utc_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		.unit = SOOTH_UNIT_UTC_NS,
		FIELD_AT(finding_change_row, utc_ns),
		.help = "when the change was seen, ns since 1970" },
	{ .name = "state",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(finding_change_row, state),
		.names = &state_names,
		.help = "raised (new or worse) or cleared" },
	FIELD_SEVERITY(finding_change_row, .help = "severity"),
	{ .name = "confidence",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(finding_change_row, confidence),
		.names = &confidence_names,
		.help = "confidence" },
	FIELD_STRING(finding_change_row, id, "id of the finding"),
	{ .name = "pid",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(finding_change_row, record.pid),
		FIELD_STATE_AT(finding_change_row, pid_state),
		.help = "process; null: the host" },
	FIELD_STRING(finding_change_row, name, "name of the program"),
	FIELD_STRING(finding_change_row, agent, "id of the agent it is or belongs to",
		FIELD_STATE_AT(finding_change_row, agent_state)),
	FIELD_STRING(finding_change_row, claim, "the finding in a sentence"),
	FIELD_ROWS(finding_change_row, subject, finding_subject_schema, "category of the call",
		.is_single = true, .is_hidden = true),
	FIELD_ROWS(finding_change_row, evidence, finding_evidence_schema, "measurements behind it"),
	FIELD_STRING(finding_change_row, remedy, "what to do",
		FIELD_STATE_AT(finding_change_row, remedy_state)),
	{ .name = "caveats",
		.type = SOOTH_FIELD_TEXTS,
		FIELD_AT(finding_change_row, unseen),
		.help = "what could not be seen and might change the finding" },
	FIELD_STRING(finding_change_row, key, "stable key of this finding of this subject"),
	{ .name = "first_seen_utc_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		.unit = SOOTH_UNIT_UTC_NS,
		FIELD_AT(finding_change_row, first_utc_ns),
		.help = "when it was first seen, ns since 1970" },
	FIELD_NUMBER(finding_change_row, duration_ns, "time from first to last sight",
		.unit = SOOTH_UNIT_NS, FIELD_STATE_AT(finding_change_row, lasted_state)),
};
ROW_SCHEMA(finding_change, "finding.change", finding_change_row,
	.line = "{utc_ns} {state}: {severity}: {id}: {name}[ (pid {pid})]: {claim}[ (lasted "
		"{duration_ns})][\n  remedy: {remedy}][\n  not seen: {caveats}]");

static const struct sooth_field finding_fine_fields[] = {
	FIELD_STRING(finding_fine_row, id, "id of the finding"),
	FIELD_STRING_AS(finding_fine_row, words, text, "what was measured, as text"),
};
ROW_SCHEMA(finding_fine, "finding.fine", finding_fine_row, .line = "{id}[: {text}]");

static const struct sooth_field finding_blind_fields[] = {
	FIELD_STRING(finding_blind_row, id, "id of the finding"),
	FIELD_STRING(finding_blind_row, reason, "why it could not be checked"),
	FIELD_STRING(finding_blind_row, remedy, "remedy",
		FIELD_STATE_AT(finding_blind_row, remedy_state)),
};
ROW_SCHEMA(
	finding_blind, "finding.unseen", finding_blind_row, .line = "{id}: {reason}[ ({remedy})]");

static const struct sooth_field finding_process_fields[] = {
	FIELD_PID(finding_process_row),
	FIELD_STRING(finding_process_row, name, "name of the program"),
	FIELD_STRING(finding_process_row, agent, "id of the agent it is or belongs to",
		FIELD_STATE_AT(finding_process_row, agent_state)),
	FIELD_STRING(finding_process_row, agent_title, "name of that agent for people",
		FIELD_STATE_AT(finding_process_row, agent_state)),
	FIELD_STRING(finding_process_row, version, "of the agent",
		FIELD_STATE_AT(finding_process_row, version_state)),
	FIELD_STRING(finding_process_row, role, "role in its session",
		FIELD_STATE_AT(finding_process_row, role_state)),
	FIELD_STRING(finding_process_row, project, "the project it works on",
		.placeholder = "project", FIELD_STATE_AT(finding_process_row, project_state)),
	FIELD_STRING(finding_process_row, session_id, "the session", .placeholder = "session",
		FIELD_STATE_AT(finding_process_row, session_state)),
	{ .name = "cpu_percent",
		.type = SOOTH_FIELD_REAL,
		.unit = SOOTH_UNIT_PERCENT,
		.decimals = 1,
		FIELD_AT(finding_process_row, cpu_percent),
		FIELD_STATE_AT(finding_process_row, cpu_state),
		.help = "of one CPU, over the interval" },
	FIELD_NUMBER(finding_process_row, rss_bytes, "resident memory", .unit = SOOTH_UNIT_BYTES,
		FIELD_STATE_AT(finding_process_row, rss_state)),
	FIELD_NUMBER(finding_process_row, elapsed_s, "seconds since it started",
		.unit = SOOTH_UNIT_S, FIELD_STATE_AT(finding_process_row, elapsed_state)),
	FIELD_SEVERITY(finding_process_row, FIELD_STATE_AT(finding_process_row, severity_state),
		.help = "of the worst finding"),
	FIELD_NUMBER(finding_process_row, finding_count, "findings"),
	FIELD_ROWS(finding_process_row, findings, finding_schema, "findings, worst first"),
	FIELD_ROWS(finding_process_row, fine, finding_fine_schema, "checks that found nothing",
		.is_hidden = true),
	{ .name = "unseen",
		.type = SOOTH_FIELD_ROWS,
		FIELD_AT(finding_process_row, blind),
		.rows = &finding_blind_schema,
		.is_hidden = true,
		.help = "checks that could not be made" },
	FIELD_STRING(finding_process_row, fine_text, "checks that found nothing, as text",
		FIELD_STATE_AT(finding_process_row, fine_text_state)),
	{ .name = "unseen_text",
		.type = SOOTH_FIELD_TEXT,
		FIELD_AT(finding_process_row, blind_text),
		FIELD_STATE_AT(finding_process_row, blind_text_state),
		.help = "checks that could not be made, as text" },
};
ROW_SCHEMA(finding_process, "finding.process", finding_process_row,
	.line = "{name} (pid {pid})[, {agent_title}][ {version}][, {role}][, in {project}][: "
		"{cpu_percent} % CPU, {rss_bytes} resident, up {elapsed_s}][; worst: "
		"{severity}][\n  fine: {fine_text}][\n  not seen: {unseen_text}]");

static const struct sooth_field finding_host_fields[] = {
	FIELD_STRING(finding_host_row, hostname, "name of the host", .placeholder = "host"),
	FIELD_STRING(finding_host_row, os_version, "kernel release"),
	FIELD_SEVERITY(finding_host_row, FIELD_STATE_AT(finding_host_row, severity_state),
		.help = "of the worst finding"),
	FIELD_NUMBER(finding_host_row, finding_count, "findings"),
	FIELD_ROWS(finding_host_row, findings, finding_schema, "findings, worst first"),
	FIELD_ROWS(finding_host_row, fine, finding_fine_schema, "checks that found nothing",
		.is_hidden = true),
	{ .name = "unseen",
		.type = SOOTH_FIELD_ROWS,
		FIELD_AT(finding_host_row, blind),
		.rows = &finding_blind_schema,
		.is_hidden = true,
		.help = "checks that could not be made" },
	FIELD_STRING(finding_host_row, fine_text, "checks that found nothing, as text",
		FIELD_STATE_AT(finding_host_row, fine_text_state)),
	{ .name = "unseen_text",
		.type = SOOTH_FIELD_TEXT,
		FIELD_AT(finding_host_row, blind_text),
		FIELD_STATE_AT(finding_host_row, blind_text_state),
		.help = "checks that could not be made, as text" },
};
ROW_SCHEMA(finding_host, "finding.host", finding_host_row,
	.line = "host {hostname}[; worst: {severity}][\n  fine: {fine_text}][\n  not seen: "
		"{unseen_text}]");

static const struct sooth_field finding_summary_fields[] = {
	FIELD_STRING_AS(finding_summary_row, words, text, "summary in a sentence"),
	FIELD_NUMBER(finding_summary_row, processes, "processes checked"),
	FIELD_NUMBER(finding_summary_row, with_findings, "processes with findings"),
	FIELD_NUMBER(finding_summary_row, critical, "findings of this severity"),
	FIELD_NUMBER(finding_summary_row, high, "findings of this severity"),
	FIELD_NUMBER(finding_summary_row, medium, "findings of this severity"),
	FIELD_NUMBER(finding_summary_row, low, "findings of this severity"),
	FIELD_NUMBER(finding_summary_row, info, "findings of this severity"),
	FIELD_NUMBER(finding_summary_row, muted, "findings muted by the user"),
	FIELD_NUMBER(finding_summary_row, interval_ns, "length of the run", .unit = SOOTH_UNIT_NS,
		FIELD_STATE_AT(finding_summary_row, interval_state)),
};
ROW_SCHEMA(finding_summary, "finding.summary", finding_summary_row, .line = "{text}");

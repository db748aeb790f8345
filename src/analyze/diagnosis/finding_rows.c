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
		.help = "type of the subject: process, thread, fd, path, connection, "
			"host" },
	{ .name = "pid",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(finding_subject_row, record.pid),
		FIELD_STATE_AT(finding_subject_row, pid_state),
		.help = "process id" },
	{ .name = "tid",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(finding_subject_row, record.tid),
		FIELD_STATE_AT(finding_subject_row, tid_state),
		.help = "thread id in the initial pid namespace" },
	FIELD_NUMBER(finding_subject_row, fd, "number of the file descriptor",
		FIELD_STATE_AT(finding_subject_row, fd_state)),
	FIELD_STRING(finding_subject_row, path, "path of the file or directory",
		FIELD_STATE_AT(finding_subject_row, path_state)),
	FIELD_STRING(finding_subject_row, connection, "local and peer address of the connection",
		FIELD_STATE_AT(finding_subject_row, connection_state)),
};
ROW_SCHEMA(finding_subject, "finding.subject", finding_subject_row);

static const struct sooth_field finding_evidence_fields[] = {
	FIELD_STRING(finding_evidence_row, name, "name of the measurement"),
	{ .name = "value",
		.type = SOOTH_FIELD_REAL,
		.decimals = DECIMALS_EXACT, /* it may be bytes, or seconds of which few went by */
		FIELD_AT(finding_evidence_row, value),
		FIELD_STATE_AT(finding_evidence_row, value_state),
		.help = "measured value; null: the measurement is text" },
	FIELD_STRING(finding_evidence_row, unit,
		"unit of the measured value: bytes, s, percent, 1/s; empty: a plain number"),
	{ .name = "interval_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		.unit = SOOTH_UNIT_NS,
		FIELD_AT(finding_evidence_row, interval_ns),
		FIELD_STATE_AT(finding_evidence_row, interval_state),
		.help = "time over which the value was measured; null: at one moment" },
	FIELD_STRING(finding_evidence_row, text, "measurement in words"),
};
ROW_SCHEMA(finding_evidence, "finding.evidence", finding_evidence_row, .line = "{name}: {text}");

static const struct sooth_field finding_fields[] = {
	FIELD_STRING(
		finding_row, id, "id of the finding; `sooth diagnose --list-findings` lists all"),
	FIELD_SEVERITY(
		finding_row, .help = "severity of the finding: critical, high, medium, low, info"),
	{ .name = "confidence",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(finding_row, confidence),
		.names = &confidence_names,
		.help = "confidence in the finding: high, medium, low" },
	FIELD_ROWS(finding_row, subject, finding_subject_schema,
		"process, thread, file or connection that the finding is about", .is_single = true,
		.is_hidden = true),
	FIELD_STRING(finding_row, claim, "one sentence that describes the finding"),
	FIELD_ROWS(finding_row, evidence, finding_evidence_schema,
		"measurements that support the finding"),
	FIELD_STRING(finding_row, remedy, "what to do about the finding",
		FIELD_STATE_AT(finding_row, remedy_state)),
	{ .name = "caveats",
		.type = SOOTH_FIELD_TEXTS,
		FIELD_AT(finding_row, unseen),
		.help = "missing information that could change the finding" },
	FIELD_STRING(finding_row, key,
		"key that identifies the finding and its subject across diagnoses"),
	FIELD_NUMBER(finding_row, first_seen_ns,
		"time the finding was first seen (CLOCK_MONOTONIC)", .unit = SOOTH_UNIT_TIME_NS,
		.is_hidden = true),
	{ .name = "first_seen_utc_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		.unit = SOOTH_UNIT_UTC_NS,
		FIELD_AT(finding_row, first_utc_ns),
		.help = "time the finding was first seen, ns since 1970" },
	{ .name = "last_seen_utc_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		.unit = SOOTH_UNIT_UTC_NS,
		FIELD_AT(finding_row, last_utc_ns),
		.help = "time the finding was last seen, ns since 1970" },
	{ .name = "state",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(finding_row, state),
		.names = &state_names,
		.help = "state of the finding: newly raised, still present, or cleared" },
};
ROW_SCHEMA(finding, "finding", finding_row,
	.line = "{severity}: {id}: {claim} ({confidence} confidence)[\n  remedy: {remedy}][\n  not "
		"seen: {caveats}]");

static const struct sooth_field finding_change_fields[] = {
	{ .name = "utc_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		.unit = SOOTH_UNIT_UTC_NS,
		FIELD_AT(finding_change_row, utc_ns),
		.help = "time the finding changed, ns since 1970" },
	{ .name = "state",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(finding_change_row, state),
		.names = &state_names,
		.help = "change of the finding: raised (new or worse) or cleared" },
	FIELD_SEVERITY(finding_change_row,
		.help = "severity of the finding: critical, high, medium, low, info"),
	{ .name = "confidence",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(finding_change_row, confidence),
		.names = &confidence_names,
		.help = "confidence in the finding: high, medium, low" },
	FIELD_STRING(finding_change_row, id, "id of the finding"),
	{ .name = "pid",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(finding_change_row, record.pid),
		FIELD_STATE_AT(finding_change_row, pid_state),
		.help = "process id; null: the finding is about the host" },
	FIELD_STRING(finding_change_row, name, "name of the program of the process"),
	FIELD_STRING(finding_change_row, agent, "id of the agent that the process is or belongs to",
		FIELD_STATE_AT(finding_change_row, agent_state)),
	FIELD_STRING(finding_change_row, claim, "one sentence that describes the finding"),
	FIELD_ROWS(finding_change_row, subject, finding_subject_schema,
		"process, thread, file or connection that the finding is about", .is_single = true,
		.is_hidden = true),
	FIELD_ROWS(finding_change_row, evidence, finding_evidence_schema,
		"measurements that support the finding"),
	FIELD_STRING(finding_change_row, remedy, "what to do about the finding",
		FIELD_STATE_AT(finding_change_row, remedy_state)),
	{ .name = "caveats",
		.type = SOOTH_FIELD_TEXTS,
		FIELD_AT(finding_change_row, unseen),
		.help = "missing information that could change the finding" },
	FIELD_STRING(finding_change_row, key,
		"key that identifies the finding and its subject across diagnoses"),
	{ .name = "first_seen_utc_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		.unit = SOOTH_UNIT_UTC_NS,
		FIELD_AT(finding_change_row, first_utc_ns),
		.help = "time the finding was first seen, ns since 1970" },
	FIELD_NUMBER(finding_change_row, duration_ns,
		"time from the first to the last sight of the finding", .unit = SOOTH_UNIT_NS,
		FIELD_STATE_AT(finding_change_row, lasted_state)),
};
ROW_SCHEMA(finding_change, "finding.change", finding_change_row,
	.line = "{utc_ns} {state}: {severity}: {id}: {name}[ (pid {pid})]: {claim}[ (lasted "
		"{duration_ns})][\n  remedy: {remedy}][\n  not seen: {caveats}]");

static const struct sooth_field finding_fine_fields[] = {
	FIELD_STRING(finding_fine_row, id, "id of the finding"),
	FIELD_STRING_AS(
		finding_fine_row, words, text, "measurements that show no problem, as text"),
};
ROW_SCHEMA(finding_fine, "finding.fine", finding_fine_row, .line = "{id}[: {text}]");

static const char *const blind_causes[] = { "refused", "failed", "too short", "too young",
	"undecided", "unsupported", "ended", "not requested" };
static const struct sooth_names blind_cause_names = { FINDING_BLIND_CAUSES, blind_causes };

static const struct sooth_field finding_blind_fields[] = {
	FIELD_STRING(finding_blind_row, id, "id of the finding"),
	FIELD_STRING(finding_blind_row, reason, "reason why the finding could not be checked"),
	FIELD_STRING(finding_blind_row, remedy, "what to do so that the finding can be checked",
		FIELD_STATE_AT(finding_blind_row, remedy_state)),
	{ .name = "cause",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(finding_blind_row, cause),
		.names = &blind_cause_names,
		.help = "kind of the reason: refused, failed, too short, too young, undecided, "
			"..." },
};
ROW_SCHEMA(
	finding_blind, "finding.unseen", finding_blind_row, .line = "{id}: {reason}[ ({remedy})]");

static const struct sooth_field finding_process_fields[] = {
	FIELD_PID(finding_process_row),
	FIELD_STRING(finding_process_row, name, "name of the program of the process"),
	FIELD_STRING(finding_process_row, agent,
		"id of the agent that the process is or belongs to",
		FIELD_STATE_AT(finding_process_row, agent_state)),
	FIELD_STRING(finding_process_row, agent_title, "display name of the agent",
		FIELD_STATE_AT(finding_process_row, agent_state)),
	FIELD_STRING(finding_process_row, version, "version of the agent",
		FIELD_STATE_AT(finding_process_row, version_state)),
	FIELD_STRING(finding_process_row, role,
		"role of the process in its session: main, helper, tool call, ...",
		FIELD_STATE_AT(finding_process_row, role_state)),
	FIELD_STRING(finding_process_row, project, "project directory the agent works in",
		.placeholder = "project", FIELD_STATE_AT(finding_process_row, project_state)),
	FIELD_STRING(finding_process_row, session_id, "id of the agent's session",
		.placeholder = "session", FIELD_STATE_AT(finding_process_row, session_state)),
	{ .name = "cpu_percent",
		.type = SOOTH_FIELD_REAL,
		.unit = SOOTH_UNIT_PERCENT,
		.decimals = 1,
		FIELD_AT(finding_process_row, cpu_percent),
		FIELD_STATE_AT(finding_process_row, cpu_state),
		.help = "CPU use over the interval, in percent of one CPU" },
	FIELD_NUMBER(finding_process_row, rss_bytes, "resident memory of the process",
		.unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(finding_process_row, rss_state)),
	FIELD_NUMBER(finding_process_row, elapsed_s, "seconds since the process started",
		.unit = SOOTH_UNIT_S, FIELD_STATE_AT(finding_process_row, elapsed_state)),
	FIELD_SEVERITY(finding_process_row, FIELD_STATE_AT(finding_process_row, severity_state),
		.help = "severity of the worst finding"),
	FIELD_NUMBER(finding_process_row, finding_count, "number of findings"),
	FIELD_ROWS(finding_process_row, findings, finding_schema, "list of findings, worst first"),
	FIELD_ROWS(finding_process_row, fine, finding_fine_schema, "checks that found no problem",
		.is_hidden = true),
	{ .name = "unseen",
		.type = SOOTH_FIELD_ROWS,
		FIELD_AT(finding_process_row, blind),
		.rows = &finding_blind_schema,
		.is_hidden = true,
		.help = "checks that could not be done, with the reason" },
	FIELD_STRING(finding_process_row, fine_text, "checks that found no problem, as text",
		FIELD_STATE_AT(finding_process_row, fine_text_state)),
	{ .name = "unseen_text",
		.type = SOOTH_FIELD_TEXT,
		FIELD_AT(finding_process_row, blind_text),
		FIELD_STATE_AT(finding_process_row, blind_text_state),
		.help = "checks that could not be done, as text" },
	FIELD_STRING(finding_process_row, waits_text,
		"what the process waits for, and which process could end that (sooth why)",
		FIELD_STATE_AT(finding_process_row, waits_state)),
};
ROW_SCHEMA(finding_process, "finding.process", finding_process_row,
	.line = "{name} (pid {pid})[, {agent_title}][ {version}][, {role}][, in {project}][: "
		"{cpu_percent} % CPU, {rss_bytes} resident, up {elapsed_s}][; worst: "
		"{severity}][\n  waits: {waits_text}][\n  fine: {fine_text}][\n  not seen: "
		"{unseen_text}]");

static const struct sooth_field finding_host_fields[] = {
	FIELD_STRING(finding_host_row, hostname, "name of the host", .placeholder = "host"),
	FIELD_STRING(finding_host_row, os_version, "kernel release of the host"),
	FIELD_SEVERITY(finding_host_row, FIELD_STATE_AT(finding_host_row, severity_state),
		.help = "severity of the worst finding"),
	FIELD_NUMBER(finding_host_row, finding_count, "number of findings"),
	FIELD_ROWS(finding_host_row, findings, finding_schema, "list of findings, worst first"),
	FIELD_ROWS(finding_host_row, fine, finding_fine_schema, "checks that found no problem",
		.is_hidden = true),
	{ .name = "unseen",
		.type = SOOTH_FIELD_ROWS,
		FIELD_AT(finding_host_row, blind),
		.rows = &finding_blind_schema,
		.is_hidden = true,
		.help = "checks that could not be done, with the reason" },
	FIELD_STRING(finding_host_row, fine_text, "checks that found no problem, as text",
		FIELD_STATE_AT(finding_host_row, fine_text_state)),
	{ .name = "unseen_text",
		.type = SOOTH_FIELD_TEXT,
		FIELD_AT(finding_host_row, blind_text),
		FIELD_STATE_AT(finding_host_row, blind_text_state),
		.help = "checks that could not be done, as text" },
};
ROW_SCHEMA(finding_host, "finding.host", finding_host_row,
	.line = "host {hostname}[; worst: {severity}][\n  fine: {fine_text}][\n  not seen: "
		"{unseen_text}]");

static const struct sooth_field finding_summary_fields[] = {
	FIELD_STRING_AS(finding_summary_row, words, text, "summary of the result in one sentence"),
	FIELD_NUMBER(finding_summary_row, processes, "number of processes checked"),
	FIELD_NUMBER(finding_summary_row, with_findings,
		"number of processes with at least one finding"),
	FIELD_NUMBER(finding_summary_row, critical, "number of findings with severity critical"),
	FIELD_NUMBER(finding_summary_row, high, "number of findings with severity high"),
	FIELD_NUMBER(finding_summary_row, medium, "number of findings with severity medium"),
	FIELD_NUMBER(finding_summary_row, low, "number of findings with severity low"),
	FIELD_NUMBER(finding_summary_row, info, "number of findings with severity info"),
	FIELD_NUMBER(finding_summary_row, muted, "number of findings muted by the user"),
	FIELD_NUMBER(finding_summary_row, unchecked,
		"number of checks without a result, although requested and possible here"),
	FIELD_STRING(finding_summary_row, headline, "the worst cause, or what could not be checked",
		FIELD_STATE_AT(finding_summary_row, headline_state)),
	FIELD_NUMBER(finding_summary_row, interval_ns, "length of the observation",
		.unit = SOOTH_UNIT_NS, FIELD_STATE_AT(finding_summary_row, interval_state)),
};
ROW_SCHEMA(finding_summary, "finding.summary", finding_summary_row, .line = "{text}");

static const struct sooth_field finding_answer_fields[] = {
	FIELD_SEVERITY(finding_answer_row, FIELD_STATE_AT(finding_answer_row, severity_state),
		.help = "severity of the finding in the line"),
	FIELD_STRING(finding_answer_row, text, "line of the answer"),
};
ROW_SCHEMA(finding_answer, "finding.answer", finding_answer_row, .line = "{text}");

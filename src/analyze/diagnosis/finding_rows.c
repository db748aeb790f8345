/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the rows of findings. */
#include "analyze/diagnosis/finding_rows.h"

#include "analyze/records.h"
#include "base/units.h"
#include "explain/finding.h"

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
const struct sooth_names finding_confidence_names = { 3, confidences };

static const char *const states[FINDING_STATES] = {
	[FINDING_RAISED] = "raised",
	[FINDING_STILL] = "still",
	[FINDING_CLEARED] = "cleared",
};
static const struct sooth_names state_names = { FINDING_STATES, states };

/* Medium, high, critical. */
static const double severity_levels[SOOTH_FIELD_LEVELS] = { FINDING_MEDIUM, FINDING_HIGH,
	FINDING_CRITICAL };

ROW_SCHEMA(finding_subject, FINDING_SUBJECT_ROW, "finding.subject", finding_subject_row);
ROW_SCHEMA(finding_evidence, FINDING_EVIDENCE_ROW, "finding.evidence", finding_evidence_row,
	.line = "{name}: {text}");

ROW_SCHEMA(finding, FINDING_ROW, "finding", finding_row,
	.line = "{severity}: {id}: {claim} ({confidence} confidence)[\n  remedy: {remedy}][\n  not "
		"seen: {caveats}]");

ROW_SCHEMA(finding_change, FINDING_CHANGE_ROW, "finding.change", finding_change_row,
	.line = "{utc_ns} {state}: {severity}: {id}: {name}[ (pid {pid})]: {claim}[ (lasted "
		"{duration_ns})][\n  remedy: {remedy}][\n  not seen: {caveats}]");

ROW_SCHEMA(
	finding_fine, FINDING_FINE_ROW, "finding.fine", finding_fine_row, .line = "{id}[: {text}]");

static const char *const blind_causes[] = { "refused", "failed", "too short", "too young",
	"undecided", "unsupported", "ended", "not requested", "only on request", "not applicable" };
static const char *const roots[ROOTS] = { "", "dead owner", "circle", "stopped process",
	"missing end", "mount", "silent peer", "holder", "running process", "timer", "user" };
static const struct sooth_names root_names = { ROOTS, roots };

static const struct sooth_names blind_cause_names = { FINDING_BLIND_CAUSES, blind_causes };

ROW_SCHEMA(finding_blind, FINDING_BLIND_ROW, "finding.unseen", finding_blind_row,
	.line = "{id}: {reason}[ ({remedy})]");

ROW_SCHEMA(finding_process, FINDING_PROCESS_ROW, "finding.process", finding_process_row,
	.line = "{name} (pid {pid})[, {agent_title}][ {version}][, {role}][, in {project}][: "
		"{cpu_percent} % CPU, {rss_bytes} resident, up {elapsed_s}][; worst: "
		"{severity}][\n  waits: {waits_text}][\n  log: {log_text}][\n  fine: "
		"{fine_text}][\n  not seen: "
		"{unseen_text}]");

ROW_SCHEMA(finding_host, FINDING_HOST_ROW, "finding.host", finding_host_row,
	.line = "host {hostname}[; worst: {severity}][\n  fine: {fine_text}][\n  not seen: "
		"{unseen_text}]");

ROW_SCHEMA(finding_summary, FINDING_SUMMARY_ROW, "finding.summary", finding_summary_row,
	.line = "{text}");

ROW_SCHEMA(
	finding_answer, FINDING_ANSWER_ROW, "finding.answer", finding_answer_row, .line = "{text}");

ROW_SCHEMA(finding_concerned, FINDING_CONCERNED_ROW, "finding.concerned", finding_concerned_row,
	.line = "{text}");

ROW_SCHEMA(finding_cause, FINDING_CAUSE_ROW, "finding.cause", finding_cause_row,
	.line = "{severity}: {id}: {text}");

bool finding_rows_have(const struct buffer *rows, const char *id)
{
	rows_for_each (struct finding_row, row, rows) {
		if (span_equal(record_text(&row->record, &row->id), id))
			return true;
	}
	return false;
}

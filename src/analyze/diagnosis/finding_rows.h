/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of findings: the finding with its subject and evidence, and the process it belongs to.
 */
#pragma once

#include "model/row_list.h"

#define FINDING_SUBJECT_ROW(F, S)                                                                  \
	F(S, ENUM8, kind, ALWAYS,                                                                  \
		"type of the subject: process, thread, fd, path, connection, host",                \
		.names = &subject_kind_names)                                                      \
	F(S, RECORD, U64, pid, pid, MAYBE(pid_state), "process id")                                \
	F(S, RECORD, U64, tid, tid, MAYBE(tid_state), "thread id in the pid namespace of sooth")   \
	F(S, U32, fd, MAYBE(fd_state), "number of the file descriptor")                            \
	F(S, TEXT, path, MAYBE(path_state), "path of the file or directory")                       \
	F(S, TEXT, connection, MAYBE(connection_state),                                            \
		"local and peer address of the connection")                                        \
	F(S, TEXT, server, MAYBE(server_state), "name of the server at the other end",             \
		.placeholder = "host")                                                             \
	F(S, TEXT, message, MAYBE(message_state), "message of a log that the finding quotes",      \
		.placeholder = "message")

ROW_STRUCT(finding_subject_row, FINDING_SUBJECT_ROW);

enum finding_subject_kind {
	FINDING_SUBJECT_HOST,
	FINDING_SUBJECT_PROCESS,
	FINDING_SUBJECT_THREAD,
	FINDING_SUBJECT_FD,
	FINDING_SUBJECT_CONNECTION,
	FINDING_SUBJECT_PATH,
	FINDING_SUBJECTS,
};

#define FINDING_EVIDENCE_ROW(F, S)                                                                 \
	F(S, TEXT, name, ALWAYS, "name of the measurement")                                        \
	F(S, REAL, value, MAYBE(value_state), "measured value; null: the measurement is text",     \
		.decimals = DECIMALS_EXACT)                                                        \
	F(S, TEXT, unit, ALWAYS,                                                                   \
		"unit of the measured value: bytes, s, percent, 1/s; empty: a plain number")       \
	F(S, U64, interval_ns, MAYBE(interval_state),                                              \
		"time over which the value was measured; null: at one moment",                     \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, TEXT, text, ALWAYS, "measurement in words")

ROW_STRUCT(finding_evidence_row, FINDING_EVIDENCE_ROW);

enum finding_state { FINDING_RAISED, FINDING_STILL, FINDING_CLEARED, FINDING_STATES };

/* the fields that a finding and a change of it have in common */
#define FINDING_WEIGHT(F, S)                                                                       \
	F(S, ENUM8, severity, ALWAYS,                                                              \
		"severity of the finding: critical, high, medium, low, info",                      \
		.names = &finding_severity_names, .levels = severity_levels)                       \
	F(S, ENUM8, confidence, ALWAYS, "confidence in the finding: high, medium, low",            \
		.names = &finding_confidence_names)
#define FINDING_PROOF(F, S)                                                                        \
	F(S, ROWS, evidence, ALWAYS, "measurements that support the finding",                      \
		.rows = &finding_evidence_schema)                                                  \
	F(S, TEXT, remedy, MAYBE(remedy_state), "what to do about the finding")                    \
	F(S, NAMED, TEXTS, unseen, caveats, ALWAYS,                                                \
		"missing information that could change the finding")                               \
	F(S, TEXT, key, ALWAYS, "key that identifies the finding and its subject across diagnoses")

#define FINDING_ROW(F, S)                                                                          \
	F(S, TEXT, id, ALWAYS, "id of the finding; `sooth diagnose --list-findings` lists all")    \
	FINDING_WEIGHT(F, S)                                                                       \
	F(S, ROWS, subject, ALWAYS,                                                                \
		"process, thread, file or connection that the finding is about",                   \
		.rows = &finding_subject_schema, .is_single = true, .is_hidden = true)             \
	F(S, TEXT, claim, ALWAYS, "one sentence that describes the finding")                       \
	FINDING_PROOF(F, S)                                                                        \
	F(S, U64, first_seen_ns, ALWAYS, "time the finding was first seen (CLOCK_MONOTONIC)",      \
		.unit = SOOTH_UNIT_TIME_NS, .is_hidden = true)                                     \
	F(S, NAMED, U64, first_utc_ns, first_seen_utc_ns, ALWAYS,                                  \
		"time the finding was first seen, ns since 1970", .unit = SOOTH_UNIT_UTC_NS)       \
	F(S, NAMED, U64, last_utc_ns, last_seen_utc_ns, ALWAYS,                                    \
		"time the finding was last seen, ns since 1970", .unit = SOOTH_UNIT_UTC_NS)        \
	F(S, ENUM8, state, ALWAYS,                                                                 \
		"state of the finding: newly raised, still present, or cleared",                   \
		.names = &state_names)

ROW_STRUCT(finding_row, FINDING_ROW, uint64_t last_seen_ns; /* CLOCK_MONOTONIC */);

/* A finding was raised or cleared. */
#define FINDING_CHANGE_ROW(F, S)                                                                   \
	F(S, U64, utc_ns, ALWAYS, "time the finding changed, ns since 1970",                       \
		.unit = SOOTH_UNIT_UTC_NS)                                                         \
	F(S, ENUM8, state, ALWAYS, "change of the finding: raised (new or worse) or cleared",      \
		.names = &state_names)                                                             \
	FINDING_WEIGHT(F, S)                                                                       \
	F(S, TEXT, id, ALWAYS, "id of the finding")                                                \
	F(S, RECORD, U64, pid, pid, MAYBE(pid_state),                                              \
		"process id; null: the finding is about the host")                                 \
	F(S, TEXT, name, ALWAYS, "name of the program of the process")                             \
	F(S, TEXT, agent, MAYBE(agent_state), "id of the agent that the process is or belongs to") \
	F(S, TEXT, claim, ALWAYS, "one sentence that describes the finding")                       \
	F(S, ROWS, subject, ALWAYS,                                                                \
		"process, thread, file or connection that the finding is about",                   \
		.rows = &finding_subject_schema, .is_single = true, .is_hidden = true)             \
	FINDING_PROOF(F, S)                                                                        \
	F(S, NAMED, U64, first_utc_ns, first_seen_utc_ns, ALWAYS,                                  \
		"time the finding was first seen, ns since 1970", .unit = SOOTH_UNIT_UTC_NS)       \
	F(S, U64, duration_ns, MAYBE(lasted_state),                                                \
		"time from the first to the last sight of the finding", .unit = SOOTH_UNIT_NS)     \
	F(S, TEXT, answer, ALWAYS,                                                                 \
		"line of the cause that the finding belongs to, as in `answers` of a diagnosis")   \
	F(S, TEXT, answer_key, ALWAYS, "key of the finding that is this cause")

ROW_STRUCT(finding_change_row, FINDING_CHANGE_ROW);

/* A check that found no problem. */
#define FINDING_FINE_ROW(F, S)                                                                     \
	F(S, TEXT, id, ALWAYS, "id of the finding")                                                \
	F(S, NAMED, TEXT, words, text, ALWAYS, "measurements that show no problem, as text")

ROW_STRUCT(finding_fine_row, FINDING_FINE_ROW);

/* Why a check has no result; reasons that a user can remedy come first. */
enum finding_blind_cause {
	FINDING_REFUSED,       /* a privilege is missing */
	FINDING_FAILED,	       /* reading failed, no answer came, or records were lost */
	FINDING_SHORT,	       /* too few samples, or too short an interval */
	FINDING_YOUNG,	       /* the process started a short time ago */
	FINDING_UNDECIDED,     /* the values that were read allow no decision */
	FINDING_UNSUPPORTED,   /* this system does not have it */
	FINDING_ENDED,	       /* the process ended before the check */
	FINDING_NOT_REQUESTED, /* the check needs a probe that was not requested */
	FINDING_ON_REQUEST,    /* the check needs a probe that has its own option, and was not
				  requested */
	FINDING_INAPPLICABLE,  /* the process has nothing of the kind that the check reads */
	FINDING_BLIND_CAUSES,
};

/* A check that could not be done. */
#define FINDING_BLIND_ROW(F, S)                                                                    \
	F(S, TEXT, id, ALWAYS, "id of the finding")                                                \
	F(S, TEXT, reason, ALWAYS, "reason why the finding could not be checked")                  \
	F(S, TEXT, remedy, MAYBE(remedy_state), "what to do so that the finding can be checked")   \
	F(S, ENUM8, cause, ALWAYS,                                                                 \
		"kind of the reason: refused, failed, too short, too young, undecided, ...",       \
		.names = &blind_cause_names)

ROW_STRUCT(finding_blind_row, FINDING_BLIND_ROW);

/* the results of all checks of a process, or of the host */
#define FINDING_RESULTS(F, S)                                                                      \
	F(S, ENUM8, severity, MAYBE(severity_state), "severity of the worst finding",              \
		.names = &finding_severity_names, .levels = severity_levels)                       \
	F(S, U32, finding_count, ALWAYS, "number of findings")                                     \
	F(S, ROWS, findings, ALWAYS, "list of findings, worst first", .rows = &finding_schema)     \
	F(S, ROWS, fine, ALWAYS, "checks that found no problem", .rows = &finding_fine_schema,     \
		.is_hidden = true)                                                                 \
	F(S, NAMED, ROWS, blind, unseen, ALWAYS, "checks that could not be done, with the reason", \
		.rows = &finding_blind_schema, .is_hidden = true)                                  \
	F(S, TEXT, fine_text, MAYBE(fine_text_state), "checks that found no problem, as text")     \
	F(S, NAMED, TEXT, blind_text, unseen_text, MAYBE(blind_text_state),                        \
		"checks that could not be done, as text")

/* A process with its findings. */
#define FINDING_PROCESS_ROW(F, S)                                                                  \
	F(S, PID)                                                                                  \
	F(S, TEXT, name, ALWAYS, "name of the program of the process")                             \
	F(S, TEXT, agent, MAYBE(agent_state), "id of the agent that the process is or belongs to") \
	F(S, TEXT, agent_title, WITH(agent_state), "display name of the agent")                    \
	F(S, TEXT, version, MAYBE(version_state), "version of the agent")                          \
	F(S, TEXT, role, MAYBE(role_state),                                                        \
		"role of the process in its session: main, helper, tool call, ...")                \
	F(S, TEXT, project, MAYBE(project_state), "project directory the agent works in",          \
		.placeholder = "project")                                                          \
	F(S, TEXT, session_id, MAYBE(session_state), "id of the agent's session",                  \
		.placeholder = "session")                                                          \
	F(S, REAL, cpu_percent, MAYBE(cpu_state),                                                  \
		"CPU use over the interval, in percent of one CPU", .unit = SOOTH_UNIT_PERCENT,    \
		.decimals = 1)                                                                     \
	F(S, U64, rss_bytes, MAYBE(rss_state), "resident memory of the process",                   \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, elapsed_s, MAYBE(elapsed_state), "seconds since the process started",            \
		.unit = SOOTH_UNIT_S)                                                              \
	FINDING_RESULTS(F, S)                                                                      \
	F(S, TEXT, waits_text, MAYBE(waits_state),                                                 \
		"what the process waits for, and which process could end that (sooth why)")        \
	F(S, TEXT, log_text, MAYBE(log_text_state),                                                \
		"the last error of a log of the process that ends with one",                       \
		.placeholder = "message")

ROW_STRUCT(finding_process_row, FINDING_PROCESS_ROW);

#define FINDING_HOST_ROW(F, S)                                                                     \
	F(S, TEXT, hostname, ALWAYS, "name of the host", .placeholder = "host")                    \
	F(S, TEXT, os_version, ALWAYS, "kernel release of the host")                               \
	FINDING_RESULTS(F, S)

ROW_STRUCT(finding_host_row, FINDING_HOST_ROW);

#define FINDING_SUMMARY_ROW(F, S)                                                                  \
	F(S, NAMED, TEXT, words, text, ALWAYS, "summary of the result in one sentence")            \
	F(S, U32, processes, ALWAYS, "number of processes checked")                                \
	F(S, U32, with_findings, ALWAYS, "number of processes with at least one finding")          \
	F(S, U32, critical, ALWAYS, "number of findings with severity critical")                   \
	F(S, U32, high, ALWAYS, "number of findings with severity high")                           \
	F(S, U32, medium, ALWAYS, "number of findings with severity medium")                       \
	F(S, U32, low, ALWAYS, "number of findings with severity low")                             \
	F(S, U32, info, ALWAYS, "number of findings with severity info")                           \
	F(S, U32, muted, ALWAYS, "number of findings muted by the user")                           \
	F(S, U32, unchecked, ALWAYS,                                                               \
		"number of checks without a result, although requested and possible here")         \
	F(S, TEXT, headline, MAYBE(headline_state),                                                \
		"the worst cause, or what could not be checked")                                   \
	F(S, U64, interval_ns, MAYBE(interval_state), "length of the observation",                 \
		.unit = SOOTH_UNIT_NS)

ROW_STRUCT(finding_summary_row, FINDING_SUMMARY_ROW);

/* Kinds of ends of a chain of waits. */
enum answer_root {
	ROOT_NONE, /* no wait, or its end is not known */
	ROOT_DEAD_OWNER,
	ROOT_CIRCLE,
	ROOT_STOPPED,
	ROOT_MISSING_END,
	ROOT_MOUNT,
	ROOT_PEER,
	ROOT_HOLDER,
	ROOT_RUNNING,
	ROOT_TIMER,
	ROOT_USER,
	ROOTS,
};

#define FINDING_CONCERNED_ROW(F, S)                                                                \
	F(S, RECORD, U64, pid, pid, MAYBE(pid_state), "process id; null: the host")                \
	F(S, NAMED, TEXT, words, text, ALWAYS, "name, process id and session of the process")

ROW_STRUCT(finding_concerned_row, FINDING_CONCERNED_ROW);

/* A cause that the answer names, with the processes that it concerns. */
#define FINDING_CAUSE_ROW(F, S)                                                                    \
	F(S, TEXT, id, ALWAYS,                                                                     \
		"id of the finding; `wait`: the process waits, `needs-user`: for its user, "       \
		"`activity`: what its session does")                                               \
	FINDING_WEIGHT(F, S)                                                                       \
	F(S, NAMED, TEXT, words, text, ALWAYS, "line of the answer about the cause")               \
	F(S, ROWS, subject, ALWAYS, "process that has the cause",                                  \
		.rows = &finding_concerned_schema, .is_single = true, .is_hidden = true)           \
	F(S, ROWS, victims, ALWAYS, "other processes with the same cause",                         \
		.rows = &finding_concerned_schema)                                                 \
	F(S, U64, since_utc_ns, MAYBE(since_state),                                                \
		"begin of the wait or activity, ns since 1970; null: unknown, or the finding is "  \
		"not about a wait",                                                                \
		.unit = SOOTH_UNIT_UTC_NS)                                                         \
	F(S, ENUM8, root, MAYBE(root_state),                                                       \
		"what the wait ends at: dead owner, circle, stopped process, missing end, "        \
		"mount, silent peer, holder, running process, timer, user; null: no wait, or "     \
		"unknown",                                                                         \
		.names = &root_names)                                                              \
	F(S, ROWS, evidence, ALWAYS, "measurements that support the finding",                      \
		.rows = &finding_evidence_schema, .is_hidden = true)                               \
	F(S, TEXT, remedy, MAYBE(remedy_state), "what to do about it")                             \
	F(S, TEXTS, effects, ALWAYS, "further findings of the same process")

ROW_STRUCT(finding_cause_row, FINDING_CAUSE_ROW);

/* A line of the short text. */
#define FINDING_ANSWER_ROW(F, S)                                                                   \
	F(S, ENUM8, severity, MAYBE(severity_state), "severity of the finding in the line",        \
		.names = &finding_severity_names, .levels = severity_levels)                       \
	F(S, TEXT, text, ALWAYS, "line of the answer")

ROW_STRUCT(finding_answer_row, FINDING_ANSWER_ROW);

extern const struct sooth_names finding_confidence_names; /* by enum finding_confidence */
extern const struct sooth_schema finding_schema, finding_change_schema, finding_process_schema,
	finding_host_schema, finding_summary_schema, finding_evidence_schema,
	finding_subject_schema, finding_fine_schema, finding_blind_schema, finding_answer_schema,
	finding_concerned_schema, finding_cause_schema;

/* Returns whether one of these rows (struct finding_row) is of that detector. */
bool finding_rows_have(const struct buffer *rows, const char *id);

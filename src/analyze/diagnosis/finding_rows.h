/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of findings: the finding with its subject and evidence, and the process it belongs to.
 */
#ifndef SOOTH_ANALYZE_FINDING_ROWS_H
#define SOOTH_ANALYZE_FINDING_ROWS_H

#include "model/field.h"

struct finding_subject_row {
	struct sooth_record record; /* pid; tid 0: the process as a whole */
	uint32_t fd;
	uint8_t kind; /* enum finding_subject_kind */
	uint8_t pid_state, tid_state, fd_state, path_state, connection_state;
	uint8_t unused[2];
	uint8_t unused2[4];
	struct sooth_text path, connection;
};

enum finding_subject_kind {
	FINDING_SUBJECT_HOST,
	FINDING_SUBJECT_PROCESS,
	FINDING_SUBJECT_THREAD,
	FINDING_SUBJECT_FD,
	FINDING_SUBJECT_CONNECTION,
	FINDING_SUBJECT_PATH,
	FINDING_SUBJECTS,
};

struct finding_evidence_row {
	struct sooth_record record;
	double value;
	uint64_t interval_ns;
	uint8_t value_state, interval_state;
	uint8_t unused[6];
	struct sooth_text name, unit, text;
};

enum finding_state { FINDING_RAISED, FINDING_STILL, FINDING_CLEARED, FINDING_STATES };

struct finding_row {
	struct sooth_record record;
	uint64_t first_seen_ns, last_seen_ns; /* CLOCK_MONOTONIC */
	uint64_t first_utc_ns, last_utc_ns;
	uint8_t severity, confidence, state;
	uint8_t remedy_state;
	uint8_t unused[4];
	struct sooth_text id, claim, remedy, key;
	struct sooth_text subject;  /* one row of finding_subject_schema */
	struct sooth_text evidence; /* rows of finding_evidence_schema */
	struct sooth_text unseen;   /* texts */
};

/* A finding was raised or cleared. */
struct finding_change_row {
	struct sooth_record record;
	uint64_t utc_ns, first_utc_ns, duration_ns;
	uint8_t severity, confidence, state;
	uint8_t pid_state, agent_state, remedy_state, lasted_state;
	uint8_t unused;
	struct sooth_text id, name, agent, claim, remedy, key;
	struct sooth_text subject, evidence, unseen; /* as in struct finding_row */
};

/* Checked, and fine. */
struct finding_fine_row {
	struct sooth_record record;
	struct sooth_text id, words;
};

/* Why a check has no result, from what a user can do most about to what needs no remedy. */
enum finding_blind_cause {
	FINDING_REFUSED,       /* a privilege is missing */
	FINDING_FAILED,	       /* reading failed, no answer came, or records were lost */
	FINDING_SHORT,	       /* too few samples, or too short an interval */
	FINDING_YOUNG,	       /* the process started a short time ago */
	FINDING_UNDECIDED,     /* what was read does not decide it */
	FINDING_UNSUPPORTED,   /* this system does not have it */
	FINDING_ENDED,	       /* the process ended before the check */
	FINDING_NOT_REQUESTED, /* it needs a probe that was not requested */
	FINDING_BLIND_CAUSES,
};

/* Could not be checked. */
struct finding_blind_row {
	struct sooth_record record;
	uint8_t remedy_state;
	uint8_t cause;
	uint8_t unused[6];
	struct sooth_text id, reason, remedy;
};

/* A process with its findings. */
struct finding_process_row {
	struct sooth_record record;
	double cpu_percent;
	uint64_t rss_bytes, elapsed_s;
	uint32_t finding_count;
	uint8_t severity; /* the worst */
	uint8_t severity_state, cpu_state;
	uint8_t agent_state, version_state, role_state, project_state, session_state;
	uint8_t fine_text_state, blind_text_state;
	uint8_t rss_state, elapsed_state;
	uint8_t waits_state;
	uint8_t unused[3];
	struct sooth_text name, agent, agent_title, version, role, project, session_id;
	struct sooth_text findings, fine, blind; /* rows */
	struct sooth_text fine_text, blind_text; /* the same as text */
	struct sooth_text waits_text;
};

struct finding_host_row {
	struct sooth_record record;
	uint32_t finding_count;
	uint8_t severity, severity_state;
	uint8_t fine_text_state, blind_text_state;
	struct sooth_text hostname, os_version, findings, fine, blind, fine_text, blind_text;
};

struct finding_summary_row {
	struct sooth_record record;
	uint64_t interval_ns;
	uint32_t processes, with_findings;
	uint32_t critical, high, medium, low, info;
	uint32_t muted, unchecked;
	uint8_t interval_state;
	uint8_t headline_state;
	uint8_t unused[2];
	struct sooth_text words, headline;
};

/* A line of the short text. */
struct finding_answer_row {
	struct sooth_record record;
	uint8_t severity, severity_state;
	uint8_t unused[6];
	struct sooth_text text;
};

extern const struct sooth_schema finding_schema, finding_change_schema, finding_process_schema,
	finding_host_schema, finding_summary_schema, finding_evidence_schema,
	finding_subject_schema, finding_fine_schema, finding_blind_schema, finding_answer_schema;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An exam: one detector judges one process, or the host. What it sees are readings; what it
 * says is a finding with its evidence, that all is well, or what it could not see. Texts of
 * targets are given as they are: whoever renders escapes them.
 *
 *   finding_begin(e, FINDING_CONFIDENCE_HIGH, "");
 *   finding_claim(e, "opens %.1f descriptors a second and does not close them", rate);
 *   finding_number(e, "descriptors", count, SOOTH_UNIT_NONE, interval_ns);
 *   finding_remedy(e, "...");
 *   finding_end(e);
 */
#ifndef SOOTH_ANALYZE_CHECK_H
#define SOOTH_ANALYZE_CHECK_H

#include "analyze/diagnosis/finding_rows.h"
#include "analyze/diagnosis/growth.h"
#include "analyze/diagnosis/diagnosis_input.h"
#include "core/finding.h"

enum finding_confidence {
	FINDING_CONFIDENCE_LOW,
	FINDING_CONFIDENCE_MEDIUM,
	FINDING_CONFIDENCE_HIGH,
};

struct finding_tracker;

/* A detector as it is to judge: its thresholds and severity after the user has spoken. */
struct check_setting {
	enum finding_severity severity;
	bool is_severity_chosen; /* by the user */
	bool is_muted;
	double options[16]; /* by index in the type's table */
};

struct check {
	const struct finding_type *type;
	const struct check_setting *setting;
	const struct diagnosis_input *input;
	const struct process_entry *process; /* NULL: the host */
	struct process_id id;		     /* zeros: the host */
	struct sample_series series;	     /* empty for the host */

	/* From here on what the detector says; see the functions below. */
	struct finding_tracker *book;
	struct finding_row row;
	struct finding_subject_row subject;
	struct buffer claim, remedy, key, evidence, unseen, place;
	bool is_open;
	unsigned found, muted;
	unsigned muted_all;	 /* of all exams */
	bool is_one_look;	 /* what needs an interval is not judged, however long it was */
	struct buffer *findings; /* struct finding_row, whole records */
	struct buffer *fine;	 /* struct finding_fine_row */
	struct buffer *blind;	 /* struct finding_blind_row */
	bool is_said;		 /* fine, or blind */
};

double check_option(const struct check *e, const char *name);
/* The first or last whole reading of the process; NULL: none. */
const struct snapshot *check_first(const struct check *e, const struct snapshot_pair *pair);
const struct snapshot *check_last(const struct check *e, const struct snapshot_pair *pair);
/* Age of the process in ns. */
uint64_t check_age_ns(const struct check *e);
/* By a signal or a debugger, when it was last looked at. */
bool check_is_stopped(const struct check *e);
/*
 * Whether a value is over a threshold: over the option itself to be raised, over nine tenths
 * of it to stay so. `what` as for finding_begin().
 */
bool check_is_over(const struct check *e, const char *option, double value, const char *what);

/* --- what it says --- */

/* `what` tells several findings of one detector and process apart: "fd 7", "tid 4711"; "" when
 * there can be one only. */
void finding_begin(struct check *e, enum finding_confidence confidence, const char *what);
/* Other than the detector's own; what the user chose stands. */
void finding_severity(struct check *e, enum finding_severity severity);
void finding_claim(struct check *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
void finding_remedy(struct check *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* interval_ns 0: it is of a moment. */
void finding_number(struct check *e, const char *name, double value, enum sooth_unit unit,
	uint64_t interval_ns);
/* A rate: so many a second over an interval. */
void finding_rate(struct check *e, const char *name, double per_s, enum sooth_unit unit,
	uint64_t interval_ns);
void finding_text(struct check *e, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void finding_unseen(struct check *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What it is about, beside the process. */
void finding_thread(struct check *e, uint32_t tid);
void finding_descriptor(struct check *e, uint32_t fd);
void finding_path(struct check *e, struct span path);
void finding_connection(struct check *e, struct span connection);
void finding_end(struct check *e);

/* Nothing is wrong: in a few words what was looked at. */
void check_fine(struct check *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* It could not be judged: because of what was not measured, or for another reason. */
void check_blind(struct check *e, uint8_t state);
/* What can be done about what was not measured; "" for most reasons. */
const char *check_remedy(uint8_t state);
void check_blind_because(struct check *e, const char *reason, const char *remedy);

/* --- judging --- */

/* One detector on one process or, with id NULL, the host. Rows are appended. */
void check_run(struct check *e, const struct finding_entry *entry,
	const struct check_setting *setting, const struct diagnosis_input *input,
	const struct process_id *id);
void check_fini(struct check *e);

#endif

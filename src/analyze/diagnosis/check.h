/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A check: one detector diagnoses one process, or the host. It reads snapshots (struct check) and
 * reports a finding with its evidence, that all is fine, or what it could not see (struct
 * check_result). Names and paths are passed unescaped: the renderer escapes them.
 *
 *   finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
 *   finding_claim(out, "leaks descriptors: %.0f more", gain);
 *   finding_number(out, "descriptors", count, SOOTH_UNIT_NONE, interval_ns);
 *   finding_remedy(out, "...");
 */
#pragma once

#include "analyze/diagnosis/finding_rows.h"
#include "analyze/diagnosis/finding_values.h"
#include "analyze/diagnosis/growth.h"
#include "analyze/diagnosis/diagnosis_input.h"
#include "explain/finding.h"

enum finding_confidence {
	FINDING_CONFIDENCE_LOW,
	FINDING_CONFIDENCE_MEDIUM,
	FINDING_CONFIDENCE_HIGH,
};

struct finding_tracker;

/* The severity and thresholds of a detector, with the settings of the user applied. */
struct check_setting {
	enum finding_severity severity;
	bool is_severity_chosen; /* the user chose the severity */
	bool is_muted;
	double options[16]; /* values of options, by index in the type's table */
};

/* The system calls of the process. */
struct check_calls {
	const struct call_history *history; /* NULL: none was recorded */
	uint64_t interval_ns;
	bool is_read;	 /* they were recorded one by one, for long enough to diagnose them */
	bool is_sampled; /* some calls were only counted: counts are estimates */
	uint64_t lost;	 /* lost calls of all observed processes: counts are lower bounds */
};

/* The input of a detector. */
struct check {
	const struct finding_type *type;
	const struct check_setting *setting;
	const struct diagnosis_input *input;
	const struct process_entry *process; /* NULL: the host */
	struct process_id id;		     /* zeros: the host */
	struct sample_series series;	     /* empty for the host */
	struct check_calls calls;
	/* The findings raised by the diagnosis before this one; NULL: not a watch. */
	const struct finding_tracker *raised;
	const struct buffer *findings; /* struct finding_row of the detectors that ran before */
	bool is_one_look;	       /* skip detectors that need an interval */
};

/* The results of a detector; the functions below fill them in. */
struct check_result {
	const struct check *of;
	struct finding_tracker *tracker; /* NULL: none */
	struct finding_row row;
	struct finding_subject_row subject;
	/* While a finding is open, texts may be appended to its claim. */
	struct buffer claim;
	struct buffer remedy, key, evidence, unseen, place, server, message;
	struct finding_values values; /* values of the open finding */
	bool is_open;
	unsigned found, muted;	 /* findings of this check */
	unsigned muted_all;	 /* muted findings of all checks */
	struct buffer *findings; /* struct finding_row, whole records */
	struct buffer *fine;	 /* struct finding_fine_row */
	struct buffer *blind;	 /* struct finding_blind_row */
	bool is_reported;	 /* a row in `fine` or `blind` was added */
};

double check_option(const struct check *e, const char *name);
/* Returns the first or last whole snapshot of the process; NULL: none. */
const struct snapshot *check_first(const struct check *e, const struct snapshot_pair *pair);
const struct snapshot *check_last(const struct check *e, const struct snapshot_pair *pair);
/* Returns a process of the table of processes; NULL: it is not there. */
const struct process_entry *check_process(
	const struct check *e, uint32_t pid, uint64_t start_ticks);
/* Returns the time between the two snapshots; 0: there is only one. */
uint64_t check_interval_ns(const struct check *e, const struct snapshot_pair *pair);
/* Walks the descriptors of the last snapshot: check_fds_for_each (e, d) */
#define check_fds_for_each(e, d)                                                                   \
	snapshot_each (struct fds_descriptor, d, check_last(e, &(e)->input->fds), FDS_DESCRIPTOR)
/* Decides whether a value of the process at each sample grows, by the option min-windows; `value`
 * is negative where it was not measured. */
void check_growth(
	struct growth *g, const struct check *e, double (*value)(const struct sample_point *p));
/* Returns whether the value grows by the options min-gain and min-rate. */
bool check_grows_fast(const struct check *e, const struct growth *g);
/* Returns the age of the process in ns. */
uint64_t check_age_ns(const struct check *e);
/* Returns whether the process is younger than the option min-age. */
bool check_is_young(const struct check *e);
/* Returns whether a signal or a debugger had stopped the process at the last sample. */
bool check_is_stopped(const struct check *e);
/* Returns whether the previous diagnosis of a watch raised this finding. `what` as for
 * finding_begin(). */
bool check_is_raised(const struct check *e, const char *what);
/* Returns whether an earlier detector of the list has a finding of the same process. */
bool check_has_finding(const struct check *e, const char *id);
/* Returns whether a value has reached a threshold. A finding is raised at the option's value, and
 * stays raised from nine tenths of it on. `what` as for finding_begin(). */
bool check_is_over(const struct check *e, const char *option, double value, const char *what);

/* --- reporting --- */

/* Begins a finding, which the next one or the end of the check ends. `what` distinguishes several
 * findings of one detector and process: "fd 7", "tid 4711";
 * "" where only one is possible. */
void finding_begin(struct check_result *out, enum finding_confidence confidence, const char *what);
static inline enum finding_confidence confidence_high_if(bool is_sure)
{
	return is_sure ? FINDING_CONFIDENCE_HIGH : FINDING_CONFIDENCE_MEDIUM;
}

static inline enum finding_confidence confidence_medium_if(bool is_likely)
{
	return is_likely ? FINDING_CONFIDENCE_MEDIUM : FINDING_CONFIDENCE_LOW;
}

/* Overrides the detector's severity, not the one the user chose. */
void finding_severity(struct check_result *out, enum finding_severity severity);
static inline void finding_low_if(struct check_result *out, bool is_low)
{
	if (is_low)
		finding_severity(out, FINDING_LOW);
}

void finding_claim(struct check_result *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void finding_remedy(struct check_result *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Adds a value; interval_ns 0: measured at one moment. */
void finding_number(struct check_result *out, const char *name, double value, enum sooth_unit unit,
	uint64_t interval_ns);
/* Adds a number of things, or a share. */
static inline void finding_count(
	struct check_result *out, const char *name, double value, uint64_t interval_ns)
{
	finding_number(out, name, value, SOOTH_UNIT_NONE, interval_ns);
}

static inline void finding_percent(
	struct check_result *out, const char *name, double value, uint64_t interval_ns)
{
	finding_number(out, name, value, SOOTH_UNIT_PERCENT, interval_ns);
}

/* Adds a time or a size, measured at one moment. */
void finding_time(struct check_result *out, const char *name, uint64_t ns);
void finding_bytes(struct check_result *out, const char *name, uint64_t bytes);
/* Adds a rate per second over an interval. */
void finding_rate(struct check_result *out, const char *name, double per_s, enum sooth_unit unit,
	uint64_t interval_ns);
void finding_text(struct check_result *out, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Adds a command line, arguments of which each ends with NUL; nothing for an empty one. */
void finding_command(struct check_result *out, const char *name, struct span arguments);
void finding_unseen(struct check_result *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Sets the subject of the finding, besides the process. */
void finding_thread(struct check_result *out, uint32_t tid);
void finding_descriptor(struct check_result *out, uint32_t fd);
void finding_path(struct check_result *out, struct span path);
void finding_connection(struct check_result *out, struct span connection);
/* Names the server of the finding. Reports for sharing replace the name, also in the texts of the
 * finding. */
void finding_server(struct check_result *out, struct span name);
/* Adds a message that the target itself wrote. Reports for sharing replace it, too. */
void finding_message(struct check_result *out, struct span message);

/* Reports that nothing is wrong; the text says what was measured. */
void check_fine(struct check_result *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Reports that the process could not be diagnosed: a value was not measured, or another reason. */
void check_blind(struct check_result *out, uint8_t state);
/* Returns the remedy for a value that was not measured; "" for most reasons. */
const char *check_remedy(uint8_t state);
void check_blind_because(struct check_result *out, const char *reason, const char *remedy);
void check_blind_by(struct check_result *out, enum finding_blind_cause cause, const char *reason,
	const char *remedy);
enum finding_blind_cause check_cause(uint8_t state);
/* Returns false if a required probe was not recorded, and reports that. Called before diagnose(),
 * except for a detector with `instead`. */
bool check_has_probes(struct check_result *out);
/* Returns false if allocations were recorded in a form that detectors do not read, and reports
 * that. */
bool check_has_heap_sums(struct check_result *out);
/* Begins the reason of check_too_young(). */
#define CHECK_YOUNG_WORDS "this check needs a process older than"

/* Reports that the process is younger than the option min-age. */
void check_too_young(struct check_result *out);
/* Adds to a finding of a young process that its start may explain the finding. */
void check_may_be_start(struct check_result *out);

/* Begins every remedy of a check that needs a longer observation. */
#define CHECK_LONGER_WORDS "observe longer"
#define CHECK_LONGER	   CHECK_LONGER_WORDS ": --duration 30"

/* --- system calls --- */

/* Returns false if the calls cannot be diagnosed, and reports why. Called before diagnose(), for a
 * detector with `reads_calls`. */
bool check_calls_begin(const struct check *e, struct check_result *out);
/* Reports like check_fine() that nothing is wrong; undecided where a rare call may have been
 * missed. */
void check_calls_fine(const struct check *e, struct check_result *out, const char *what);
/* Adds to the open finding that the rates of calls are estimates of short windows. */
void check_calls_windows(struct check_result *out);
/* Adds to the open finding what was lost, and what bypasses system calls. Called at the end of each
 * finding of a detector with `reads_calls`. */
void check_calls_unseen(const struct check *e, struct check_result *out);

/* --- running --- */

/* Finds what all detectors read of one process or, with id NULL, of the host. The caller has set
 * `raised` and `is_one_look`. */
void check_begin(struct check *e, const struct diagnosis_input *input, const struct process_id *id);
/* Returns whether an interval is too short to conclude anything. */
bool check_is_short(uint64_t interval_ns);
/* Appends the open finding, if there is one. */
void check_end_finding(struct check_result *out);
/* Runs one detector, and appends rows. check_begin() comes first; the caller has set the buffers
 * and the tracker of the result. */
void check_run(struct check *e, struct check_result *out, const struct finding_entry *entry,
	const struct check_setting *setting);
void check_result_fini(struct check_result *out);

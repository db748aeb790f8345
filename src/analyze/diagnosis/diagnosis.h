/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The diagnosis: every detector checks every selected process, and the host; the worst comes
 * first. In a whole-host recording, the processes that belong to agents are selected.
 */
#pragma once

#include "analyze/diagnosis/finding_tracker.h"
#include "analyze/diagnosis/diagnosis_options.h"

/* The reports of all detectors for one process, or for the host. */
struct diagnosed {
	struct process_id id;
	/* NULL: the host, or a process that ended before a sample */
	const struct process_entry *process;
	bool is_host;
	struct buffer findings; /* struct finding_row, worst first */
	struct buffer fine, blind;
	uint32_t count;
	enum finding_severity worst;
};

struct diagnosis {
	struct findings_options options;
	struct check_settings settings;
	struct diagnosis_input input;
	struct finding_tracker tracker;
	struct check_result result;
	struct diagnosed *all; /* results of the last run, the host first */
	size_t count;
};

/* The struct has to be zeroed; options NULL: the defaults. Call diagnosis_fini() also
 * after a failure. */
int diagnosis_init(
	struct diagnosis *s, const struct findings_options *options, struct sooth_error *err);
void diagnosis_fini(struct diagnosis *s);
/* Diagnoses all from the snapshots taken so far. */
int diagnosis_run(struct diagnosis *s, struct sooth_error *err);
/* Returns the detector that found it; NULL: not one of these. */
const struct finding_type *diagnosis_type_of(const struct finding_row *f);
/* Returns whether a finding of a process causes another one of it. */
bool diagnosis_leads_to(const struct finding_row *cause, const struct finding_row *of);
/* Returns whether it also stands before that one: a low-severity cause stays behind a graver
 * finding. A wait may stand there at once, because its severity only grows with time. */
bool diagnosis_goes_first(const struct finding_row *cause, const struct finding_row *of);
/* Frees the results before the next run. */
void diagnosis_forget(struct diagnosis *s);

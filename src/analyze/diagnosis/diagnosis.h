/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Judging: every detector judges every process that is meant, and the host; the worst comes
 * first. Whom it judges: those that the stream says are meant; of a whole host those that
 * belong to agents.
 */
#ifndef SOOTH_ANALYZE_DIAGNOSIS_H
#define SOOTH_ANALYZE_DIAGNOSIS_H

#include "analyze/diagnosis/check.h"
#include "analyze/diagnosis/finding_tracker.h"
#include "analyze/diagnosis/findings.h"

struct diagnosis {
	struct findings_options options;
	struct check_settings settings;
	struct diagnosis_input input;
	struct finding_tracker book;
	struct check check;
	struct diagnosed *all; /* of the last judgement: the host first */
	size_t count;
};

/* Zeroed before; options NULL: the defaults. To be given to diagnosis_fini() also when it fails. */
int diagnosis_init(
	struct diagnosis *s, const struct findings_options *options, struct sooth_error *err);
void diagnosis_fini(struct diagnosis *s);
/* Judges all by what the readings hold now. */
int diagnosis_run(struct diagnosis *s, struct sooth_error *err);
/* What was said, before it is judged again. */
void diagnosis_forget(struct diagnosis *s);

#endif

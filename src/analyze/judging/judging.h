/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Judging: every detector judges every process that is meant, and the host; the worst comes
 * first. Whom it judges: those that the stream says are meant; of a whole host those that
 * belong to agents.
 */
#ifndef SOOTH_ANALYZE_JUDGING_H
#define SOOTH_ANALYZE_JUDGING_H

#include "analyze/judging/exam.h"
#include "analyze/judging/finding_book.h"
#include "analyze/judging/findings.h"

struct judging {
	struct findings_options options;
	struct exam_settings settings;
	struct readings readings;
	struct finding_book book;
	struct exam exam;
	struct judged *all; /* of the last judgement: the host first */
	size_t count;
};

/* Zeroed before; options NULL: the defaults. To be given to judging_fini() also when it fails. */
int judging_init(
	struct judging *s, const struct findings_options *options, struct sooth_error *err);
void judging_fini(struct judging *s);
/* Judges all by what the readings hold now. */
int judging_run(struct judging *s, struct sooth_error *err);
/* What was said, before it is judged again. */
void judging_forget(struct judging *s);

#endif

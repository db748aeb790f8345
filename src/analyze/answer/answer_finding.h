/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that append the parts of a finding to a line of an answer. */
#ifndef SOOTH_ANALYZE_ANSWER_FINDING_H
#define SOOTH_ANALYZE_ANSWER_FINDING_H

#include "analyze/diagnosis/diagnosis.h"

/* Returns the worst finding of a process; the process must have one. */
const struct finding_row *answer_worst(const struct diagnosed *j);
/* "leaks descriptors: 41 more (low confidence)" */
void answer_claim(const struct finding_row *f, struct buffer *out);
/* "descriptors: 120 over 5 s; growth: 8 a second": as much as fits in the line. */
void answer_evidence(const struct finding_row *f, struct buffer *out);
/* "fd-leak (high): " */
void answer_kind(const struct finding_row *f, struct buffer *out);

/* Returns whether the process has the finding because it waits, so that both have one begin. */
bool answer_is_about_wait(const struct finding_row *f);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The checks of all processes that could not be done, and one remedy for all. */
#ifndef SOOTH_ANALYZE_ANSWER_UNSEEN_H
#define SOOTH_ANALYZE_ANSWER_UNSEEN_H

#include "analyze/diagnosis/diagnosis.h"

/* Returns whether a check without a result could have found the problem. */
bool answer_is_open(const struct diagnosed *j);
/* Returns whether only a few checks have no result, and all of them because the process is too
 * young; the headline then names them. */
bool answer_unseen_is_early(const struct diagnosis *s);
/* " in what could be checked", or "; system calls were not checked: sooth diagnose 4711": the end
 * of a headline without a finding. Empty: every check has a result. */
void answer_unseen_headline(const struct diagnosis *s, struct buffer *out);
/* Appends the paragraph about checks without a result, and its remedy; nothing if every check has a
 * result. */
void answer_unseen(const struct diagnosis *s, struct buffer *paragraph, struct buffer *remedy);
/* Returns the number of checks without a result that could have found the problem. */
uint32_t answer_unseen_count(const struct diagnosis *s);

#endif

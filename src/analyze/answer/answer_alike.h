/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes with the same problem, which share an answer. */
#ifndef SOOTH_ANALYZE_ANSWER_ALIKE_H
#define SOOTH_ANALYZE_ANSWER_ALIKE_H

#include "analyze/diagnosis/diagnosis.h"

/* Returns whether both are children of one parent, or the second one is a child of the first, none
 * the main process of a session, and their worst findings have the same type: the claim is the
 * same, or they were started alike. Both must have a finding. */
bool answer_alike(const struct diagnosed *a, const struct diagnosed *b);

#endif

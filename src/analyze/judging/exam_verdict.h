/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What detectors share that rest on a verdict (verdicts.h): the question, and what is told of
 * a process that should not be there.
 */
#ifndef SOOTH_ANALYZE_EXAM_VERDICT_H
#define SOOTH_ANALYZE_EXAM_VERDICT_H

#include "analyze/judging/exam.h"
#include "analyze/census/verdicts.h"

/* Whether it holds of the process that is judged. Where it does not, the exam has been told:
 * that all is well (in those words), or that it could not be judged. */
bool exam_holds(struct exam *e, enum verdict_kind kind, const char *fine, struct verdict *out);
/* Whether it holds of a process that is judged too, so that it is told there. */
bool exam_is_told_of(const struct exam *e, const struct census_process *p, enum verdict_kind kind);
/* How long the process was watched; 0: it was seen once. */
uint64_t exam_watched_ns(const struct exam *e);
/* Whether another process became its parent meanwhile: then its own has only just ended. */
bool exam_has_lost_parent(const struct exam *e);

/* Evidence: what the process uses, for how long it is there. */
void finding_upkeep(struct exam *e);
/* Evidence: since when a verdict is known to hold, at least. */
void finding_held(struct exam *e, uint64_t since_ns);

/* The process's name, not escaped. */
struct span exam_name(const struct census_process *p);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What detectors share that rest on a verdict (verdicts.h): the question, and what is told of
 * a process that should not be there.
 */
#ifndef SOOTH_ANALYZE_CHECK_VERDICT_H
#define SOOTH_ANALYZE_CHECK_VERDICT_H

#include "analyze/diagnosis/check.h"
#include "analyze/process_table/verdicts.h"

/* Whether it holds of the process that is judged. Where it does not, the exam has been told:
 * that all is well (in those words), or that it could not be judged. */
bool check_holds(struct check *e, enum verdict_kind kind, const char *fine, struct verdict *out);
/* Whether it holds of a process that is judged too, so that it is told there. */
bool check_is_reported_of(
	const struct check *e, const struct process_entry *p, enum verdict_kind kind);
/* How long the process was watched; 0: it was seen once. */
uint64_t check_watched_ns(const struct check *e);
/* Whether another process became its parent meanwhile: then its own has only just ended. */
bool check_has_lost_parent(const struct check *e);

/* Evidence: what the process uses, for how long it is there. */
void finding_upkeep(struct check *e);
/* Evidence: since when a verdict is known to hold, at least. */
void finding_held(struct check *e, uint64_t since_ns);

/* The process's name, not escaped. */
struct span check_name(const struct process_entry *p);

#endif

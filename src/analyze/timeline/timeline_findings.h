/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Findings among the events of a timeline: of streams that were made to be judged, as `sooth
 * diagnose --save` makes them. The view finding-changes judges, and what it tells becomes events.
 */
#ifndef SOOTH_ANALYZE_TIMELINE_FINDINGS_H
#define SOOTH_ANALYZE_TIMELINE_FINDINGS_H

#include "analyze/diagnosis/findings.h"
#include "analyze/timeline/timeline_tracker.h"
#include "core/output.h"
#include "core/stage.h"

struct timeline_findings {
	struct timeline_tracker *book;
	struct findings_options options; /* how it is judged */
	const struct stage_type *view;
	struct output *output; /* NULL: nothing is judged */
	void *state;
};

/* After the book has taken the batch. */
int timeline_findings_push(
	struct timeline_findings *f, const struct batch *batch, struct sooth_error *err);
int timeline_findings_finish(struct timeline_findings *f, struct sooth_error *err);
void timeline_findings_fini(struct timeline_findings *f);

#endif

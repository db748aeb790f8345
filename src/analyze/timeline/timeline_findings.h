/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Findings as events of a timeline, for streams that were recorded for a diagnosis, as by `sooth
 * diagnose --save`. The view finding-changes diagnoses; its rows become events.
 */
#ifndef SOOTH_ANALYZE_TIMELINE_FINDINGS_H
#define SOOTH_ANALYZE_TIMELINE_FINDINGS_H

#include "analyze/diagnosis/findings.h"
#include "analyze/timeline/timeline_tracker.h"
#include "explain/output.h"
#include "explain/stage.h"

struct timeline_findings {
	struct timeline_tracker *tracker;
	struct findings_options options; /* thresholds and checks */
	const struct stage_type *view;
	struct output *output; /* NULL: no diagnosis */
	void *state;
};

/* Call after the tracker has taken the batch. */
int timeline_findings_push(
	struct timeline_findings *f, const struct batch *batch, struct sooth_error *err);
int timeline_findings_finish(struct timeline_findings *f, struct sooth_error *err);
void timeline_findings_fini(struct timeline_findings *f);

#endif

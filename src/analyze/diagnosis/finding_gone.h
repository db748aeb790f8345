/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that ended before they were sampled: their findings, and a name. */
#ifndef SOOTH_ANALYZE_FINDING_GONE_H
#define SOOTH_ANALYZE_FINDING_GONE_H

#include "analyze/diagnosis/diagnosed.h"
#include "explain/output.h"

/* A row of finding_process_schema in the current section. */
int finding_gone_emit(struct output *output, const struct diagnosis_input *input,
	const struct diagnosed *j, struct sooth_error *err);
/* All such processes, in their own section if there are any, for views whose rows need a
 * sampled process. */
int finding_gone_emit_all(struct output *output, const struct diagnosis_input *input,
	const struct diagnosed *all, size_t count, struct sooth_error *err);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that were gone before anything was read of them: what was found, and a name. */
#ifndef SOOTH_ANALYZE_FINDING_GONE_H
#define SOOTH_ANALYZE_FINDING_GONE_H

#include "analyze/diagnosis/diagnosed.h"
#include "core/output.h"

/* A row of finding_process_schema, into the section that was begun. */
int finding_gone_emit(struct output *output, const struct diagnosis_input *input,
	const struct diagnosed *j, struct sooth_error *err);
/* Those among all, in a section of their own when there are any, for views whose rows are of what
 * was read. */
int finding_gone_emit_all(struct output *output, const struct diagnosis_input *input,
	const struct diagnosed *all, size_t count, struct sooth_error *err);

#endif

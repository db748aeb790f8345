/* SPDX-License-Identifier: BSD-2-Clause */
/* The row of a diagnosed process that was sampled. */
#ifndef SOOTH_ANALYZE_FINDING_PROCESS_H
#define SOOTH_ANALYZE_FINDING_PROCESS_H

#include "analyze/diagnosis/diagnosis.h"
#include "explain/output.h"

int finding_process_emit(struct output *output, const struct diagnosis *s,
	const struct diagnosed *j, struct sooth_error *err);
/* Returns whether the filter lets the row of the process pass. */
bool finding_process_is_shown(
	const struct output *output, const struct diagnosis *s, const struct diagnosed *j);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that were gone before anything was read of them: what was found, and a name. */
#ifndef SOOTH_ANALYZE_FINDING_GONE_H
#define SOOTH_ANALYZE_FINDING_GONE_H

#include "analyze/judging/judged.h"
#include "core/output.h"

/* A row of finding_process_schema, into the section that was begun. */
int finding_gone_tell(struct output *output, const struct readings *readings,
	const struct judged *j, struct sooth_error *err);
/* Those among all, in a section of their own when there are any, for views whose rows are of what
 * was read. */
int finding_gone_tell_all(struct output *output, const struct readings *readings,
	const struct judged *all, size_t count, struct sooth_error *err);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that fail because a file system is full or read-only, counted per file system, whatever the
 * path. A write that stores less than requested counts too. */
#ifndef SOOTH_ANALYZE_SPACE_FAILURE_H
#define SOOTH_ANALYZE_SPACE_FAILURE_H

#include "analyze/diagnosis/call_check.h"

/* Returns whether the file system is known to be the reason of this failure. */
bool space_failure_is(const struct check *e, const struct call_place *place);
/* Appends "no space left on /mnt (100 % used)"; false: the failure has another reason. */
bool space_failure_text(struct buffer *out, const struct check *e, const struct call_place *place);
/* Reports each file system with at least `least` failures. Returns the number of findings. */
size_t space_failures_report(const struct check *e, struct check_result *out,
	const struct check_calls *calls, double least);

#endif

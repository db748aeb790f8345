/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that fail because a limit of the user or of the host is reached: the kernel answers "no
 * space left on device", "too many open files" or "disk quota exceeded", and means none of these.
 */
#ifndef SOOTH_ANALYZE_LIMIT_FAILURE_H
#define SOOTH_ANALYZE_LIMIT_FAILURE_H

#include "analyze/diagnosis/check.h"

struct call_place;

struct limit_failure {
	const char *text, *remedy;
};

/* Returns the limit that is the reason of a failure; NULL: the reason is another one. */
const struct limit_failure *limit_failure_of(const struct check *e, const struct call_place *place);
/* Returns the limit of open descriptors if the process has reached it, or nearly; 0: some are
 * left. */
uint64_t limit_failure_descriptors(const struct check *e, const struct call_place *place);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that fail because a limit of the user or the host is reached: the kernel answers "no space
 * left on device", "too many open files" or "disk quota exceeded", although none of these is true.
 */
#ifndef SOOTH_ANALYZE_LIMIT_FAILURE_H
#define SOOTH_ANALYZE_LIMIT_FAILURE_H

#include "analyze/diagnosis/check.h"

struct call_place;

struct limit_failure {
	const char *text, *remedy;
};

/* Returns the limit that explains a failure; NULL: no limit does. */
const struct limit_failure *limit_failure_of(const struct check *e, const struct call_place *place);
/* Returns the limit of open descriptors if the process has (nearly) reached it; 0: descriptors are
 * left. */
uint64_t limit_failure_descriptors(const struct check *e, const struct call_place *place);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that fail because the user has reached the limit of inotify watches or instances. The
 * kernel answers "no space left on device", or "too many open files", although neither is true. */
#ifndef SOOTH_ANALYZE_WATCH_FAILURE_H
#define SOOTH_ANALYZE_WATCH_FAILURE_H

#include "analyze/diagnosis/call_check.h"

/* Returns whether an inotify limit is the reason of this failure. */
bool watch_failure_is(const struct check *e, const struct call_place *place);
/* Adds claim, evidence and remedy to the open finding. */
void watch_failure_report(const struct check *e, struct check_result *out,
	const struct call_place *place, double times);

#endif

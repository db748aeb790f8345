/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that fail because the user has reached the limit of inotify watches or instances. The
 * kernel answers "no space left on device", or "too many open files", although neither is true. */
#ifndef SOOTH_ANALYZE_WATCH_FAILURE_H
#define SOOTH_ANALYZE_WATCH_FAILURE_H

#include "analyze/diagnosis/call_check.h"

/* Returns whether an inotify limit is the reason of this failure. */
bool watch_failure_is(const struct check *e, const struct call_place *place);
/* Reports such failures together, whatever the paths, if there are `least` or more. Returns the
 * number of findings. */
size_t watch_failures_report(const struct check *e, struct check_result *out,
	const struct check_calls *calls, double least);

#endif

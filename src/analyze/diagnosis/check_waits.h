/* SPDX-License-Identifier: BSD-2-Clause */
/* What the detectors of long waits share. */
#ifndef SOOTH_ANALYZE_CHECK_WAITS_H
#define SOOTH_ANALYZE_CHECK_WAITS_H

#include "analyze/diagnosis/check.h"
#include "probes/fds.h"

/* A descriptor at the last sample; NULL: not sampled, or closed. */
const struct fds_descriptor *check_descriptor(const struct check *e, uint32_t fd);
/* The thread stayed in one wait: for `min-time` and `min-readings`, both options of the
 * detector, without a context switch. */
bool check_is_one_wait(const struct check *e, const struct thread_history *t);

#endif

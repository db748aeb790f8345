/* SPDX-License-Identifier: BSD-2-Clause */
/* What detectors share that ask for what a thread waits, and for how long it has. */
#ifndef SOOTH_ANALYZE_CHECK_WAITS_H
#define SOOTH_ANALYZE_CHECK_WAITS_H

#include "analyze/diagnosis/check.h"
#include "probes/fds.h"

/* A descriptor of the process as it was last read; NULL: not read, or not there. */
const struct fds_descriptor *check_descriptor(const struct check *e, uint32_t fd);
/* Whether it has been in one and the same wait all the while: for `min-time`, in `min-readings`,
 * both options of the detector, and switched to in none of it. */
bool check_is_one_wait(const struct check *e, const struct thread_history *t);

#endif

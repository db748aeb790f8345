/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether the control groups of a process let it start another process or thread. */
#ifndef SOOTH_ANALYZE_TASK_ROOM_H
#define SOOTH_ANALYZE_TASK_ROOM_H

#include "analyze/diagnosis/check.h"
#include "probes/limits.h"

/* Returns the control group that is full, or was full during the observation; NULL: none is
 * known. */
const struct limits_group *task_room_full_group(const struct check *e);

#endif

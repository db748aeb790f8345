/* SPDX-License-Identifier: BSD-2-Clause */
/* Children that already run when their parent is attached to. They are not followed, and a report
 * without a note about them misleads if the target is a launcher, or the parent of workers. */
#pragma once

#include "collect/backend.h"
#include "os/linux/bpf/follow.h"

/* Emits a limit that names these children, most memory first; nothing if all are followed. */
void children_before_emit(struct backend_run *run, struct follow *f);

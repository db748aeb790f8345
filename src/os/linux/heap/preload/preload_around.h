/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that went around sooth's library in a program, and were not probed. */
#pragma once

#include "os/linux/heap/preload/preload_run.h"

/* Emits a limit for each bit of `around` (PRELOAD_AROUND_*). */
void preload_around_limits(struct backend_run *run, const struct preload_run *s, uint32_t around);
/* Emits limits for the calls and times that a run has missed. */
void preload_run_limits(struct backend_run *run, struct preload_run *s);

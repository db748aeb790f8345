/* SPDX-License-Identifier: BSD-2-Clause */
/* Which tracers this host has: a table of known ones, searched for by file name. None is ever
 * run. */
#ifndef SOOTH_OS_LINUX_TRACERS_H
#define SOOTH_OS_LINUX_TRACERS_H

#include "collect/backend.h"

/* Writes a HOST_TRACER for each; sooth itself is the first. */
void tracers_emit(struct backend_run *run);

#endif

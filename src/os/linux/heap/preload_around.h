/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that went around sooth's library in a program, and were not probed. */
#ifndef SOOTH_OS_LINUX_PRELOAD_AROUND_H
#define SOOTH_OS_LINUX_PRELOAD_AROUND_H

#include "collect/backend.h"

/* A limit for each of these PRELOAD_AROUND_*. */
void preload_around_limits(struct backend_run *run, uint32_t around);
/* Another, of so many forked processes in which the library did not reach sooth; 0: none. */
void preload_unconnected_limit(struct backend_run *run, uint32_t processes);

#endif

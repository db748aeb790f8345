/* SPDX-License-Identifier: BSD-2-Clause */
/* Removes definitions of user-space probes: sooth's own, and those of dead owners. */
#ifndef SOOTH_OS_LINUX_UPROBES_SWEEP_H
#define SOOTH_OS_LINUX_UPROBES_SWEEP_H

#include <stdint.h>

#include "base/log.h"
#include "os/linux/uprobes/tracefs.h"

/*
 * Remove the group's events below this number, those in use as soon as they are free; -EBUSY when
 * some are still in use after that time. Async-signal-safe: the guard calls it.
 */
int uprobes_sweep_group(
	int tracefs, const struct tracefs_group *group, uint64_t count, uint64_t timeout_ns);
/* Remove definitions of owners that are gone, as far as they are found; logs each. */
void uprobes_sweep_dead(int tracefs, const struct log *log);

#endif

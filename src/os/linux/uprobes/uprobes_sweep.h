/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking definitions of user-space probes away: one's own, and what the dead left. */
#ifndef SOOTH_OS_LINUX_UPROBES_SWEEP_H
#define SOOTH_OS_LINUX_UPROBES_SWEEP_H

#include <stdint.h>

#include "base/log.h"
#include "os/linux/uprobes/tracefs.h"

/*
 * Remove the group's events below this number, those in use as soon as they are not;
 * -EBUSY when some still are after that time. Async-signal-safe: the guard calls it.
 */
int uprobes_sweep_group(
	int tracefs, const struct tracefs_group *group, uint64_t count, uint64_t timeout_ns);
/* Remove what owners that are no more have left, as far as it is found; the log is told. */
void uprobes_sweep_dead(int tracefs, const struct log *log);

#endif

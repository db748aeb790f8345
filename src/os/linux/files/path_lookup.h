/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a name leads to a certain file. Any directory of it may be on a dead mount, so the
 * lookup has a timeout. */
#ifndef SOOTH_OS_LINUX_PATH_LOOKUP_H
#define SOOTH_OS_LINUX_PATH_LOOKUP_H

#include <stdint.h>

#include "base/cursor.h"
#include "os/linux/files/timeout.h"

struct path_aim {
	uint64_t inode;
	uint32_t device_major, device_minor;
};

/* 1 when the name leads there, from the root of the process (its /proc/PID is open) or from
 * sooth's own; 0 when not; -ETIMEDOUT or another negative errno. */
int path_leads_to(
	struct timeout *timeout, int process, struct span path, const struct path_aim *aim);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks whether a name leads to a certain file. Any directory of the name may be on a dead mount,
 * so the lookup has a timeout. */
#pragma once

#include <stdint.h>

#include "base/cursor.h"
#include "os/linux/files/timeout.h"

struct path_aim {
	uint64_t inode;
	uint32_t device_major, device_minor;
};

/* Returns 1 if the name leads to the file, from the root of the process (its /proc/PID is open) or
 * from sooth's own; 0 if not; -ETIMEDOUT or another negative errno. */
int path_leads_to(
	struct timeout *timeout, int process, struct span path, const struct path_aim *aim);

/* SPDX-License-Identifier: BSD-2-Clause */
/* limits by kern.proc.rlimit. */
#include "os/bsd/sampling.h"

const struct backend backend_limits_sysctl = BSD_SAMPLING_BACKEND(
	limits, "sysctl", "reads kern.proc.rlimit; nothing is attached to the process");

/* SPDX-License-Identifier: BSD-2-Clause */
/* limits by sysctl(3): those of the kernel of a process and a user, beside what they use. */
#include "os/bsd/sampling.h"

const struct backend backend_limits_libproc = BSD_SAMPLING_BACKEND(
	limits, "libproc", "reads limits of the kernel, and what is used of them");

/* SPDX-License-Identifier: BSD-2-Clause */
/* environment by kern.proc.env. */
#include "os/bsd/sampling.h"

const struct backend backend_environment_sysctl =
	BSD_SAMPLING_BACKEND(environment, "sysctl", "reads names and sizes from kern.proc.env");

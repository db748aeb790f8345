/* SPDX-License-Identifier: BSD-2-Clause */
/* environment by KERN_PROCARGS2. */
#include "os/bsd/sampling.h"

const struct backend backend_environment_libproc =
	BSD_SAMPLING_BACKEND(environment, "libproc", "reads names and sizes from KERN_PROCARGS2");

/* SPDX-License-Identifier: BSD-2-Clause */
/* context by libproc and KERN_PROCARGS2. */
#include "os/bsd/sampling.h"

const struct backend backend_context_libproc =
	BSD_SAMPLING_BACKEND(context, "libproc", "asks libproc when a process joins");

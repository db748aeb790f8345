/* SPDX-License-Identifier: BSD-2-Clause */
/* context by the sysctls of a process. */
#include "os/bsd/sampling.h"

const struct backend backend_context_sysctl =
	BSD_SAMPLING_BACKEND(context, "sysctl", "reads kern.proc when a process joins");

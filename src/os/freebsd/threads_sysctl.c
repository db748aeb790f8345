/* SPDX-License-Identifier: BSD-2-Clause */
/* threads by kern.proc with threads. */
#include "os/bsd/sampling.h"

const struct backend backend_threads_sysctl = BSD_SAMPLING_BACKEND(
	threads, "sysctl", "reads kern.proc with threads; nothing is attached");

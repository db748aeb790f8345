/* SPDX-License-Identifier: BSD-2-Clause */
/* threads by proc_pidinfo. */
#include "os/bsd/sampling.h"

const struct backend backend_threads_libproc = BSD_SAMPLING_BACKEND(
	threads, "libproc", "asks libproc; nothing is attached to the process");

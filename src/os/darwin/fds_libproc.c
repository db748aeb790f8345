/* SPDX-License-Identifier: BSD-2-Clause */
/* fds by proc_pidfdinfo. */
#include "os/bsd/sampling.h"

const struct backend backend_fds_libproc =
	BSD_SAMPLING_BACKEND(fds, "libproc", "asks libproc; nothing is attached to the process");

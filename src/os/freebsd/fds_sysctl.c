/* SPDX-License-Identifier: BSD-2-Clause */
/* fds by kern.proc.filedesc. */
#include "os/bsd/sampling.h"

const struct backend backend_fds_sysctl = BSD_SAMPLING_BACKEND(
	fds, "sysctl", "reads kern.proc.filedesc; nothing is attached to the process");

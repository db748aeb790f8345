/* SPDX-License-Identifier: BSD-2-Clause */
/* sockets by kern.proc.filedesc. */
#include "os/bsd/sampling.h"

const struct backend backend_sockets_sysctl = BSD_SAMPLING_BACKEND(
	sockets, "sysctl", "reads kern.proc.filedesc; nothing is attached to the process");

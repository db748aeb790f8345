/* SPDX-License-Identifier: BSD-2-Clause */
/* sockets by proc_pidfdinfo. */
#include "os/bsd/sampling.h"

const struct backend backend_sockets_libproc = BSD_SAMPLING_BACKEND(
	sockets, "libproc", "asks libproc; nothing is attached to the process");

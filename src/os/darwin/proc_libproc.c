/* SPDX-License-Identifier: BSD-2-Clause */
/* proc by libproc. */
#include "os/bsd/proc.h"

const struct backend backend_proc_libproc =
	BSD_PROC_BACKEND("libproc", "asks libproc; nothing is attached to the processes");

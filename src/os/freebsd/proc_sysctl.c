/* SPDX-License-Identifier: BSD-2-Clause */
/* proc by the sysctls kern.proc. */
#include "os/bsd/proc.h"

const struct backend backend_proc_sysctl =
	BSD_PROC_BACKEND("sysctl", "reads kern.proc; nothing is attached to the processes");

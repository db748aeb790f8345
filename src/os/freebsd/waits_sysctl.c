/* SPDX-License-Identifier: BSD-2-Clause */
/* waits by kern.proc: the wait message of each thread and the address that it sleeps on, which is
 * that of a pipe or within a socket of a descriptor; kern.lockf. */
#include "os/bsd/waits.h"

const struct backend backend_waits_sysctl = BSD_WAITS_BACKEND(
	"sysctl", "reads kern.proc, kern.lockf, descriptors; nothing is attached");

/* SPDX-License-Identifier: BSD-2-Clause */
/* waits by libproc: states of threads, children, parents of zombies. It says of no thread what that
 * waits for; sample(1) does, where the process is the one that is asked about. */
#include "os/bsd/waits.h"

const struct backend backend_waits_libproc = BSD_WAITS_BACKEND(
	"libproc", "asks libproc for states of threads and children; nothing is attached");

/* SPDX-License-Identifier: BSD-2-Clause */
/* waits by libproc: states of threads, children, parents of zombies. macOS says of no thread what
 * it waits for. */
#include "os/bsd/waits.h"

const struct backend backend_waits_libproc = BSD_WAITS_BACKEND(
	"libproc", "asks libproc for states of threads and children; nothing is attached");

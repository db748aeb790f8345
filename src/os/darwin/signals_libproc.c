/* SPDX-License-Identifier: BSD-2-Clause */
/* signals by sysctl(3), kern.proc: what is ignored and caught. Of no thread macOS says what it
 * blocks, nor what is pending. */
#include "os/bsd/sampling.h"

const struct backend backend_signals_libproc = BSD_SAMPLING_BACKEND(
	signals, "libproc", "reads what is ignored and caught in kern.proc; nothing is attached");

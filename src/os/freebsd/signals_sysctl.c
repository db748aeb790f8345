/* SPDX-License-Identifier: BSD-2-Clause */
/* signals by kern.proc with threads. */
#include "os/bsd/sampling.h"

const struct backend backend_signals_sysctl = BSD_SAMPLING_BACKEND(
	signals, "sysctl", "reads masks of signals in kern.proc; nothing is attached");

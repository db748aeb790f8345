/* SPDX-License-Identifier: BSD-2-Clause */
/* maps by kern.proc.vmmap. */
#include "os/bsd/sampling.h"

const struct backend backend_maps_sysctl = BSD_SAMPLING_BACKEND(
	maps, "sysctl", "reads kern.proc.vmmap; nothing is attached to the process");

/* SPDX-License-Identifier: BSD-2-Clause */
/* maps by a walk over regions. */
#include "os/bsd/sampling.h"

const struct backend backend_maps_libproc = BSD_SAMPLING_BACKEND(
	maps, "libproc", "asks libproc for region after region; nothing is attached");

/* SPDX-License-Identifier: BSD-2-Clause */
/* host by vm.loadavg and vm.stats. */
#include "os/bsd/sampling.h"

const struct backend backend_host_sysctl =
	BSD_HOST_BACKEND("sysctl", "reads vm.loadavg and vm.stats");

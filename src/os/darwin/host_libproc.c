/* SPDX-License-Identifier: BSD-2-Clause */
/* host by sysctl(3). */
#include "os/bsd/sampling.h"

const struct backend backend_host_libproc =
	BSD_HOST_BACKEND("libproc", "reads vm.loadavg, vm.swapusage, vm.page_free_count");

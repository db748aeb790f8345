/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the load average, which both systems have as vm.loadavg. */
#pragma once

#include "os/bsd/sysctl.h"
#include "probes/host.h"

/* An answer that is no struct loadavg leaves the load not measured. */
void bsd_load_read(const struct bsd_sysctl *by_name, struct host_load *load);

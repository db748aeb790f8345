/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes the load average from the answer of both systems to vm.loadavg. */
#ifndef SOOTH_OS_BSD_LOAD_H
#define SOOTH_OS_BSD_LOAD_H

#include "os/bsd/bytes.h"
#include "probes/host.h"

/* Decodes a struct loadavg; other bytes leave the load not measured. */
void bsd_load_decode(struct host_load *load, const struct bsd_bytes *b, uint32_t cpus);

#endif

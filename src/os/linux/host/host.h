/* SPDX-License-Identifier: BSD-2-Clause */
/* Facts about the host and about sooth itself. */
#ifndef SOOTH_OS_LINUX_HOST_H
#define SOOTH_OS_LINUX_HOST_H

#include "os/os.h"

int64_t host_realtime_offset_ns(const struct os *os);
void host_facts(const struct os *os, struct host_facts *facts);
void host_self(const struct os *os, struct self_cost *cost);
size_t host_environment(const struct os *os, struct environment_fact *facts, size_t max);

#endif

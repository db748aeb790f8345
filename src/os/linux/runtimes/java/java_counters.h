/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What HotSpot says about its own heap: the counters that it keeps in a file which it maps,
 * /tmp/hsperfdata_USER/PID (jvmstat, perfMemory.hpp; on by default, -XX:-UsePerfData and containers
 * with a read-only /tmp have none). jstat(1) reads the same. Nothing is stopped for it.
 */
#ifndef SOOTH_OS_LINUX_JAVA_COUNTERS_H
#define SOOTH_OS_LINUX_JAVA_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>

#include "os/linux/files/timeout.h"
#include "probes/maps.h"

#define JAVA_COUNTERS_FOLDER "/hsperfdata_"

/* The file is the target's: what is not as expected is not read. False: the counters are not all
 * there. */
bool java_counters_parse(struct maps_managed_heap *out, const void *data, size_t size);
/* runtime_heap.read */
bool java_counters_read(
	struct maps_managed_heap *out, struct timeout *timeout, int process, const char *path);

#endif

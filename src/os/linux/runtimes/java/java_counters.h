/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What HotSpot says about its own heap: the counters that it keeps in a file which it maps,
 * /tmp/hsperfdata_USER/PID (jvmstat, perfMemory.hpp; on by default, -XX:-UsePerfData and containers
 * with a read-only /tmp have none). jstat(1) reads the same. Nothing is stopped for it.
 */
#ifndef SOOTH_OS_LINUX_JAVA_COUNTERS_H
#define SOOTH_OS_LINUX_JAVA_COUNTERS_H

#include "base/cursor.h"
#include "os/linux/files/timeout.h"

struct java_counters {
	uint64_t old_bytes;	     /* used in the old generation, at the last collection */
	uint64_t old_capacity_bytes; /* as large as it may become now */
	uint64_t collections, full_collections;
};

/* The file is the target's: what is not as expected is not read. False: the counters are not all
 * there. */
bool java_counters_parse(struct java_counters *out, const void *data, size_t size);
/* Whether it is the path of such a file. */
bool java_counters_is(struct span path);
/* Reads a process's counters; `process` is its open /proc/PID. */
bool java_counters_read(
	struct java_counters *out, struct timeout *timeout, int process, const char *path);

#endif

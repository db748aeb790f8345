/* SPDX-License-Identifier: BSD-2-Clause */
/* HotSpot's own data about its heap: counters in a file that it maps, /tmp/hsperfdata_USER/PID
 * (jvmstat, perfMemory.hpp). The file is on by default; it is missing with -XX:-UsePerfData and in
 * containers with a read-only /tmp. jstat(1) reads the same file. No thread is stopped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "os/linux/files/timeout.h"
#include "probes/maps.h"

#define JAVA_COUNTERS_FOLDER "/hsperfdata_"

/* Parses the counters. The file is the target's, so unexpected entries are skipped. False: some
 * counters are missing. *allows_attach: the JVM lets tools attach to it. */
bool java_counters_parse(
	struct maps_managed_heap *out, bool *allows_attach, const void *data, size_t size);
/* Reads the counters of a JVM, as runtime_heap.read. */
bool java_counters_read(
	struct maps_managed_heap *out, struct timeout *timeout, int process, const char *path);
/* Returns whether the JVM lets tools attach to it. */
bool java_counters_allow_attach(struct timeout *timeout, int process, const char *path);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsers for files about the whole host: proc_loadavg(5), proc_uptime(5), proc_meminfo(5); and
 * for the privileges that a program's file has, capabilities(7). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host_load_file {
	double load_1m, load_5m, load_15m;
	uint32_t running, tasks;
};

/* Each returns false when the bytes are no such file, and then writes nothing. */
bool host_load_parse(struct host_load_file *out, const void *data, size_t size);
bool host_uptime_parse(uint64_t *ns, const void *data, size_t size);
/* Reads the value of a line of meminfo; `name` includes the colon. */
bool host_memory_parse(uint64_t *bytes, const char *name, const void *data, size_t size);
/* Reads the times of a CPU from a line of proc_stat(5), "cpu3 1 2 ...", in clock ticks. False also
 * for the line of all CPUs. Times of guests are included in those of their host. */
bool host_cpu_parse(uint32_t *number, uint64_t *busy, uint64_t *idle, const char *line, size_t size);
/* Reads the attribute security.capability: permitted capabilities, one bit each. */
bool host_capability_parse(uint64_t *permitted, const void *data, size_t size);

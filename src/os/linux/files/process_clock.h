/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks as a process reads them. In another time namespace (time_namespaces(7)) CLOCK_MONOTONIC
 * and CLOCK_BOOTTIME have offsets of their own, so a time that stands in a process's memory or in a
 * file that it wrote is not a time of sooth's clocks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct process_clock {
	int64_t monotonic_ns, boottime_ns; /* offsets of the process's clocks to sooth's */
};

/* Parses the two offsets of /proc/PID/timens_offsets; false when the text is malformed. */
bool process_clock_parse(struct process_clock *c, const void *data, size_t size);
/* Reads the offsets. `process`: open /proc/PID. False: its time namespace or the offsets cannot be
 * read. */
bool process_clock_read(struct process_clock *c, int process);
/* Sets the present time on a clock as the process reads it; false: no other process can read it. */
bool process_clock_now(int process, clockid_t clock, uint64_t *now_ns);

/* Returns sooth's CLOCK_MONOTONIC minus that of the kernel, which records of perf have. */
int64_t process_clock_offset_ns(void);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sums of system calls by call and error, and by the keys given in `more`. Aggregates and single
 * calls are merged the same way, so a capture of either kind gives the same sums.
 */
#pragma once

#include "base/error.h"
#include "explain/reduce.h"
#include "probes/syscalls.h"

struct syscall_sums {
	struct reducer counts; /* rows are struct syscalls_count */
	struct reducer errors; /* struct syscalls_error */
};

/* `more`: "pid," for one row per process, "" for one row for all processes. */
int syscall_sums_init(struct syscall_sums *s, const char *more, struct sooth_error *err);
void syscall_sums_add_record(struct syscall_sums *s, const struct sooth_record *r);
/* Returns whether a table was full and rows were dropped. */
bool syscall_sums_refused(const struct syscall_sums *s);
void syscall_sums_fini(struct syscall_sums *s);

/* Returns how many calls have a duration, and how many were entered before attach. */
uint64_t call_timed(const struct syscalls_count *c);
uint64_t calls_without_record(const struct syscalls_count *c);
/* Returns the state of all durations: absent when no call returned, not measured when none was
 * timed. */
uint8_t call_times_state(const struct syscalls_count *c);
/* Returns the duration that `percent` of the calls did not exceed. It is estimated within a bucket
 * (a power of two), so it is off by less than a factor of 2, and never more than the longest
 * call. */
uint64_t call_percentile(
	const uint32_t histogram[SYSCALLS_BUCKETS], uint64_t max_ns, unsigned percent);

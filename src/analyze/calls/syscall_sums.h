/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls added up, by call and error, and by whatever more is asked for. Tallies and single
 * calls are merged alike, so a capture of either kind gives the same sums.
 */
#ifndef SOOTH_ANALYZE_SYSCALL_SUMS_H
#define SOOTH_ANALYZE_SYSCALL_SUMS_H

#include "base/error.h"
#include "core/reduce.h"
#include "probes/syscalls.h"

struct syscall_sums {
	struct reducer counts; /* rows are struct syscalls_count */
	struct reducer errors; /* struct syscalls_error */
};

/* `more`: "pid," for each process by itself, "" for all together. */
int syscall_sums_init(struct syscall_sums *s, const char *more, struct sooth_error *err);
/* Records of other probes are no matter. */
void syscall_sums_take(struct syscall_sums *s, const struct sooth_record *r);
/* Whether there was more than the tables hold. */
bool syscall_sums_refused(const struct syscall_sums *s);
void syscall_sums_fini(struct syscall_sums *s);

/* How many of them have a time, and of how many the begin was not seen. */
uint64_t call_timed(const struct syscalls_count *c);
uint64_t call_unseen(const struct syscalls_count *c);
/* Of all figures of time: absent when none returned, not measured when none of those was timed. */
uint8_t call_times_state(const struct syscalls_count *c);
/*
 * What that share of them did not exceed, where in its slot (a power of two) is estimated: it is
 * less than twice off. The longest when it is that one; never beyond it.
 */
uint64_t call_percentile(
	const uint32_t histogram[SYSCALLS_BUCKETS], uint64_t max_ns, unsigned percent);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reasons why a runnable process does not run: limits of its control groups that were reached
 * during the observation, and other processes on the CPUs.
 */
#ifndef SOOTH_ANALYZE_HELD_H
#define SOOTH_ANALYZE_HELD_H

#include "analyze/diagnosis/check.h"
#include "probes/limits.h"

struct held_limit {
	const struct limits_group *group; /* NULL: no limit of that name was reached */
	double per_s; /* how often the limit was reached: CPU periods, memory.high */
	uint64_t interval_ns;
};

/* Returns the limit of that name ("cpu", "memory-high") that was reached most often, in the group
 * of the process or one above. */
struct held_limit held_limit_of(const struct check *e, const char *name);

struct held_time {
	bool is_measured;
	double ran, waited; /* the thread that waited most for a CPU: percent of the time */
	uint32_t tid;
	uint64_t interval_ns;
	uint32_t policy; /* enum threads_policy */
	int32_t nice;
};

struct held_io {
	const struct limits_group *group; /* NULL: no limit explains the waits of the threads */
	bool is_write;
	double moved_per_s; /* bytes read or written */
	double waited;	    /* percent of the samples in which the thread waited for the disk */
	uint32_t tid;
	uint64_t interval_ns;
};

/* Finds a thread that mostly waits for the disk, and moves about as much as an I/O limit allows. */
struct held_io held_io_of(const struct check *e);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a process moved data during the observation: by read, write and similar calls of its
 * threads that still exist, and over its TCP connections. The kernel does not count recv and
 * send on other sockets, but recorded system calls do. Shared memory cannot be seen. Also whether a
 * process that computes works through jobs, or exists to compute.
 */
#ifndef SOOTH_ANALYZE_PROGRESS_H
#define SOOTH_ANALYZE_PROGRESS_H

#include "analyze/diagnosis/check.h"

struct progress {
	bool is_measured;   /* the threads' I/O was measured */
	bool has_tcp;	    /* TCP traffic was measured; false: not sampled twice */
	bool has_calls;	    /* socket traffic was recorded call by call */
	double bytes_per_s; /* of threads and connections */
	double calls_per_s; /* calls of read, write and similar */
	uint64_t interval_ns;
};

void progress_of(struct progress *p, const struct check *e);
/* Returns whether the thread reads jobs and writes results, a few bytes each, and computes between:
 * a worker of a pool. */
bool progress_is_worker(const struct thread_history *t);
/* Adds the bytes and calls per second as evidence, if they were measured. */
void progress_emit(const struct progress *p, struct check_result *out);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a process moved data meanwhile: by read, write and their kin, of all its threads that
 * are still there, and over its TCP connections. What goes by recv and send over other sockets the
 * kernel does not count, but a stream of system calls has it. Through shared memory nothing is
 * seen to go.
 */
#ifndef SOOTH_ANALYZE_PROGRESS_H
#define SOOTH_ANALYZE_PROGRESS_H

#include "analyze/diagnosis/check.h"

struct progress {
	bool is_measured;   /* of the threads */
	bool has_tcp;	    /* and of connections; false: there were no two readings of them */
	bool has_calls;	    /* what goes over sockets was seen call by call */
	double bytes_per_s; /* both together */
	double calls_per_s; /* read, write and their kin */
	uint64_t interval_ns;
};

void progress_of(struct progress *p, const struct check *e);
/* As evidence; nothing when it was not measured. */
void progress_emit(const struct progress *p, struct check *e);

#endif

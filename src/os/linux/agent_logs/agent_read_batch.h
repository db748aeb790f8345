/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of several processes, read with one timeout for all: a call that may never return takes
 * a process of its own, which is more than reading. */
#ifndef SOOTH_OS_LINUX_AGENT_LOGS_AGENT_READ_BATCH_H
#define SOOTH_OS_LINUX_AGENT_LOGS_AGENT_READ_BATCH_H

#include "os/linux/agent_logs/agent_read.h"
#include "os/linux/files/timeout.h"

struct agent_read_request {
	struct agent_read *job; /* its process is opened here */
	uint32_t pid, uid;
	/* 0, or a negative errno: -ETIMEDOUT where this one did not return, -ESRCH where its
	 * process has ended. */
	int status;
	uint64_t spent_ns; /* of a processor */
};

/*
 * A user may keep any files: those of one user have a second of a processor, and all of them two.
 * Reads that are left then have -EDQUOT in their own statuses.
 */
void agent_reads_run(struct agent_read_request *requests, size_t count, struct timeout *p);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the files of several processes with one timeout for all: a call that may never return needs
 * a process of its own, which costs more than the reading. */
#pragma once

#include "os/linux/agent_logs/agent_read.h"
#include "os/linux/files/timeout.h"

struct agent_read_request {
	struct agent_read *job; /* its process is opened here */
	uint32_t pid, uid;
	/* 0, or a negative errno: -ETIMEDOUT: the read did not return; -ESRCH: the process has
	 * ended. */
	int status;
	uint64_t spent_ns; /* CPU time that was used */
};

/* Runs the requests. A user may keep any files, so those of one user get one second of CPU time,
 * and all files two seconds. Requests beyond that have -EDQUOT in their status. */
void agent_reads_run(struct agent_read_request *requests, size_t count, struct timeout *p);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Small demo processes: one looks like an agent, and never reads the output of its tool, so the
 * tool is stuck; one makes system calls and allocations. They exit by themselves, even if sooth
 * dies. */
#pragma once

#include <sys/types.h>

#include "base/error.h"

struct demo_workloads {
	char directory[64]; /* folder of the workloads; removed at the end */
	char agent_path[96];
	char capture[96]; /* path for a capture in that folder */
	pid_t worker, agent;
	pid_t tool; /* a child of the agent */
};

/* Starts the demo workloads. Call demo_workloads_end() after an error, too. */
int demo_workloads_start(struct demo_workloads *s, struct sooth_error *err);
void demo_workloads_end(struct demo_workloads *s);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Small demo processes of sooth's own: one only looks like an agent and runs a tool whose output it
 * never reads, so the tool is stuck; one makes system calls and allocations. They exit by
 * themselves, whatever happens to sooth. */
#ifndef SOOTH_CLI_DEMO_WORKLOADS_H
#define SOOTH_CLI_DEMO_WORKLOADS_H

#include <sys/types.h>

#include "base/error.h"

struct demo_workloads {
	char directory[64]; /* their folder; removed with them */
	char agent_path[96];
	char capture[96]; /* a path in it, for a capture */
	pid_t worker, agent;
	pid_t tool; /* a child of the agent */
};

/* demo_workloads_end() is needed after an error, too. */
int demo_workloads_start(struct demo_workloads *s, struct sooth_error *err);
void demo_workloads_end(struct demo_workloads *s);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Two small processes of sooth's own, to show it on: one only looks like an agent, the other keeps
 * the kernel and its allocator busy. They end by themselves, whatever happens to us. */
#ifndef SOOTH_CLI_DEMO_WORKLOADS_H
#define SOOTH_CLI_DEMO_WORKLOADS_H

#include <sys/types.h>

#include "base/error.h"

struct demo_workloads {
	char directory[64]; /* theirs; removed with them */
	char agent_path[96];
	char capture[96]; /* a name in it, for whoever makes one */
	pid_t worker, agent;
};

/* Also after an error demo_workloads_end() must come. */
int demo_workloads_start(struct demo_workloads *s, struct sooth_error *err);
void demo_workloads_end(struct demo_workloads *s);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Two small processes of sooth's own, to show it on: one only looks like an agent, the other keeps
 * the kernel and its allocator busy. They end by themselves, whatever happens to us. */
#ifndef SOOTH_CLI_STAND_INS_H
#define SOOTH_CLI_STAND_INS_H

#include <sys/types.h>

#include "base/error.h"

struct stand_ins {
	char directory[64]; /* theirs; removed with them */
	char agent_path[96];
	char capture[96]; /* a name in it, for whoever makes one */
	pid_t worker, agent;
};

/* Also after an error stand_ins_end() must come. */
int stand_ins_start(struct stand_ins *s, struct sooth_error *err);
void stand_ins_end(struct stand_ins *s);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which versions of the known agents are installed: folders called by versions, and what
 * package managers have put where they put things for everybody or below a home. Nothing is
 * run and no index of a package manager is read: a few names are looked up for each agent.
 */
#ifndef SOOTH_OS_LINUX_AGENT_INSTALLS_H
#define SOOTH_OS_LINUX_AGENT_INSTALLS_H

#include "core/backend.h"
#include "os/linux/files/timeout.h"

/* Zeroed is valid. */
struct agent_installs {
	struct timeout timeout;
	const char *root; /* what "/" stands for; NULL: itself */
};

void agent_installs_fini(struct agent_installs *i);
/* Appends a record of each version to run->out: for everybody, and in the homes of those users. */
void agent_installs_emit(
	struct agent_installs *i, struct backend_run *run, const uint32_t *uids, size_t count);

#endif

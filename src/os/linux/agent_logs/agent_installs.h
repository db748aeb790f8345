/* SPDX-License-Identifier: BSD-2-Clause */
/* Installed versions of the known agents: folders named after versions, and folders where package
 * managers install for all users or below a home. No program is run, and no package manager's index
 * is read: only a few names are looked up for each agent. */
#pragma once

#include "base/map.h"
#include "collect/backend.h"
#include "os/linux/files/timeout.h"

/* Zeroed is valid. */
struct agent_installs {
	struct timeout timeout;
	const char *root;   /* root folder in place of "/"; NULL: "/" itself */
	struct map read;    /* hashes of homes that were read */
	bool is_incomplete; /* a folder timed out the last time */
	unsigned tries;
};

void agent_installs_fini(struct agent_installs *i);
/* Appends a record for each version to run->out: for those of all users, and those in the homes of
 * the given users. */
void agent_installs_emit(
	struct agent_installs *i, struct backend_run *run, const uint32_t *uids, size_t count);
/* The same for the home that the environment of an agent's process names, if the home belongs to
 * the user and is not that of the user's account. */
void agent_installs_emit_of(
	struct agent_installs *i, struct backend_run *run, pid_t pid, uint32_t uid);

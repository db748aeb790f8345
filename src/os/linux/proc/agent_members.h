/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the processes of a host or user that are agents, were started by one, or have the marker of
 * one, for backends that sample only those (INTEREST_BRIEF). */
#pragma once

#include "base/map.h"
#include "recognize/agent_set.h"
#include "os/linux/bpf/members.h"
#include "os/linux/files/timeout.h"
#include "os/linux/programs/programs.h"

struct agent_members {
	struct agent_set *agents; /* reference-counted; NULL: the built-in ones */
	struct programs programs;
	struct timeout timeout;
	struct buffer found; /* struct of agent_members.c */
	struct buffer stat, executable, raw, arguments, directory;
	struct buffer requests,
		request_owners; /* slow reads of environments; the process of each */
	struct map blocked;	/* process_id: reading its environment timed out */
	struct map known;	/* process_id -> earlier result, if samples are repeated */
	uint32_t visit;
};

void agent_members_init(struct agent_members *a, const struct agent_set *agents);
void agent_members_fini(struct agent_members *a);
/* Calls the visitor for each such process, with its identity. */
int agent_members_visit(struct agent_members *a, struct backend_run *run, member_visitor visitor,
	struct sooth_error *err);

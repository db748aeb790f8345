/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a target selects a process. Every command with --session, --agent, --cgroup or a name
 * decides this here, live or for a capture.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyze/process_table/process_table.h"

/* All zero: every process of every agent. */
struct process_choice {
	const char *agent;    /* only processes of this agent's sessions; NULL: all agents */
	const uint32_t *pids; /* only these processes and their descendants */
	size_t pid_count;     /* 0: any */
	bool has_uid;	      /* only processes of user `uid` */
	uint32_t uid;
};

#define SESSION_PREFIX_LEAST 4 /* characters of an id that select a session */

/* Returns whether `session` is the id of the process's session, the begin of the id, or the PID of
 * the session's main process. */
bool process_match_session(
	const struct process_table *c, const struct process_entry *p, const char *session);
/* Returns whether this is a process of the chosen agent and user. If PIDs are chosen, the process
 * or an ancestor must have one of these. */
bool process_match_choice(const struct process_entry *p, const struct process_choice *choice);
/* Returns whether this is a thread of the kernel, which has no program. */
bool process_match_kernel(const struct process_entry *p);
bool process_match_kernel_record(const struct proc_process *p);

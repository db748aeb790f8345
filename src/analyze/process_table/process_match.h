/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a process is one that a target names. Every command that takes --session, --agent,
 * --cgroup or a name decides it here, live and of a capture.
 */
#ifndef SOOTH_ANALYZE_PROCESS_MATCH_H
#define SOOTH_ANALYZE_PROCESS_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyze/process_table/process_table.h"

/* All zero: every process of every agent. */
struct process_choice {
	const char *agent;    /* only of its sessions; NULL: of all */
	const uint32_t *pids; /* only these */
	size_t pid_count;     /* 0: any */
	bool has_uid;	      /* only of this user */
	uint32_t uid;
};

#define SESSION_PREFIX_LEAST 4 /* characters of an id that select a session */

/* The session of the process has this id, or begins with it, or this is the pid of its main
 * process. */
bool process_match_session(
	const struct process_table *c, const struct process_entry *p, const char *session);
/* A process of an agent that the choice has, or was started by one that it has. */
bool process_match_choice(const struct process_entry *p, const struct process_choice *choice);
/* A thread of the kernel: it has no program. */
bool process_match_kernel(const struct process_entry *p);
bool process_match_kernel_record(const struct proc_process *p);

#endif

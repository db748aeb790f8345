/* SPDX-License-Identifier: BSD-2-Clause */
/* Which processes of agents a view shows beside the table of processes. */
#ifndef SOOTH_ANALYZE_PROCESS_CHOICE_H
#define SOOTH_ANALYZE_PROCESS_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: every process of every agent. */
struct process_choice {
	const char *agent;    /* only of its sessions; NULL: of all */
	const uint32_t *pids; /* only these */
	size_t pid_count;     /* 0: any */
	bool has_uid;	      /* only of this user */
	uint32_t uid;
};

#endif

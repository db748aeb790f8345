/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs for dtrace(1), which print a line for each event, tabs between its words (see
 * dtrace_lines.h). The table of system calls says which calls have a path, and which never return.
 * A call that the system lacks matches no probe; dtrace's -Z allows that.
 */
#pragma once

#include "base/buffer.h"
#include "probes/syscall_set.h"

struct dtrace_targets {
	const uint32_t *pids;
	size_t pid_count;
	/* Existing children of these, which are not followed. */
	const uint32_t *others;
	size_t other_count;
	bool is_host; /* every process but dtrace itself */
	bool has_uid; /* every process of that user */
	uint32_t uid;
};

struct dtrace_calls {
	struct dtrace_targets targets;
	unsigned abi; /* enum syscall_abi */
	const struct syscall_set *set;
	bool streams, counts;
};

void dtrace_program_calls(struct buffer *out, const struct dtrace_calls *calls);

/* Writes the program that samples user stacks, which the kernel aggregates. */
void dtrace_program_profile(struct buffer *out, const struct dtrace_targets *targets, uint32_t hz);

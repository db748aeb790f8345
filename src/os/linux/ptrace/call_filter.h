/* SPDX-License-Identifier: BSD-2-Clause */
/* A seccomp filter by which only the selected calls of a launched command stop it. */
#pragma once

#include "bpf/syscalls.h"
#include "os/os.h"

#define CALL_FILTER_DATA                                                                           \
	0x5071 /* the data of its stops: a filter of the command has other data                    \
		*/

/* Makes the call of a thread fail with ENOSYS, as without a tracer. The thread is in a stop by a
 * filter of the command's own. */
void call_filter_refuse(pid_t tid);
/* Keeps a child from being made without a tracer (CLONE_UNTRACED), in which each selected call
 * would fail, and which would outlive sooth: clears the flag, and refuses clone3(2), which programs
 * then make as clone(2). The thread is in a stop by this filter,
 * and is the one that tracee_read_for() has selected. `first`: the first argument. */
void call_filter_keep_traced(pid_t tid, uint32_t machine, uint64_t number, uint64_t first);
/* Writes the filter. -E2BIG: the calls are too many, and lie too far apart. */
int call_filter_make(const struct syscalls_config *config, struct launch_filter *filter);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscalls by dtrace(1): other users' processes and the whole host, as root. Backends of both
 * systems differ in the table of calls and in errors.
 */
#ifndef SOOTH_OS_BSD_SYSCALLS_DTRACE_H
#define SOOTH_OS_BSD_SYSCALLS_DTRACE_H

#include "os/bsd/call_counts.h"
#include "os/bsd/dtrace_follow.h"
#include "probes/syscall_set.h"

struct syscalls_dtrace {
	struct dtrace_follow follow; /* first */
	struct syscall_set set;
	struct call_counts counts;
	struct map names; /* char[DTRACE_NAME_SIZE] -> int32_t, number; -1: the table lacks it */
	uint32_t (*error)(uint32_t number);
	uint64_t unknown; /* lines with such a call */
	unsigned abi;	  /* enum syscall_abi */
};

int syscalls_dtrace_open(struct backend_run *run, unsigned abi, uint32_t (*error)(uint32_t),
	struct sooth_error *err);
int syscalls_dtrace_set(struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err);
int syscalls_dtrace_start(struct backend_run *run, struct sooth_error *err);
int syscalls_dtrace_drain(struct backend_run *run, struct sooth_error *err);
int syscalls_dtrace_stop(struct backend_run *run, struct sooth_error *err);
void syscalls_dtrace_close(struct backend_run *run);

extern const struct need *const syscalls_dtrace_needs[];

#define SYSCALLS_DTRACE_BACKEND(open_)                                                             \
	{                                                                                          \
		.name = "dtrace", .probe = "syscalls",                                             \
		.help = "dtrace(1): any process and the whole host, as root",                      \
		.needs = syscalls_dtrace_needs, .lateness_ns = NS_PER_S,                           \
		.state_size = sizeof(struct syscalls_dtrace), .open = open_,                       \
		.set = syscalls_dtrace_set, .start = syscalls_dtrace_start,                        \
		.drain = syscalls_dtrace_drain, .stop = syscalls_dtrace_stop,                      \
		.close = syscalls_dtrace_close                                                     \
	}

#endif

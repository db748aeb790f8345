/* SPDX-License-Identifier: BSD-2-Clause */
/* profile by the profile provider of dtrace(1), the same on both systems. */
#ifndef SOOTH_OS_BSD_PROFILE_DTRACE_H
#define SOOTH_OS_BSD_PROFILE_DTRACE_H

#include "base/units.h"
#include "os/bsd/dtrace_follow.h"
#include "os/bsd/named_stacks.h"

struct profile_dtrace {
	struct dtrace_follow follow; /* first */
	struct named_stacks stacks;
	/* The stack whose lines come. */
	struct dtrace_process of;
	uint64_t tid, samples;
	struct buffer frames; /* struct kept_frame */
	struct buffer texts;
	bool is_in_stack;
};

int profile_dtrace_open(struct backend_run *run, struct sooth_error *err);
int profile_dtrace_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err);
int profile_dtrace_start(struct backend_run *run, struct sooth_error *err);
int profile_dtrace_drain(struct backend_run *run, struct sooth_error *err);
int profile_dtrace_stop(struct backend_run *run, struct sooth_error *err);
void profile_dtrace_close(struct backend_run *run);

extern const struct need *const profile_dtrace_needs[];

#define PROFILE_DTRACE_BACKEND                                                                     \
	{                                                                                          \
		.name = "dtrace", .probe = "profile",                                              \
		.help = "dtrace(1), its profile provider: stacks of user space, as root",          \
		.needs = profile_dtrace_needs, .lateness_ns = 2 * NS_PER_S,                        \
		.state_size = sizeof(struct profile_dtrace), .open = profile_dtrace_open,          \
		.set = profile_dtrace_set, .start = profile_dtrace_start,                          \
		.drain = profile_dtrace_drain, .stop = profile_dtrace_stop,                        \
		.close = profile_dtrace_close                                                      \
	}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Backends that sample one process after another; the systems differ in their names and help. */
#pragma once

#include "collect/backend.h"
#include "os/bsd/members.h"

#define BSD_SAMPLING(probe_)                                                                       \
	int bsd_##probe_##_sample(struct backend_run *run, struct sooth_error *err);               \
	void bsd_##probe_##_joined(struct backend_run *run, const struct process_id *process);

BSD_SAMPLING(fds)
BSD_SAMPLING(sockets)
BSD_SAMPLING(maps)
BSD_SAMPLING(threads)
BSD_SAMPLING(signals)
BSD_SAMPLING(limits)
BSD_SAMPLING(environment)
BSD_SAMPLING(context)
int bsd_host_sample(struct backend_run *run, struct sooth_error *err);

#define BSD_SAMPLING_BACKEND(probe_, name_, help_)                                                 \
	{                                                                                          \
		.name = name_, .probe = #probe_, .help = help_,                                    \
		.state_size = sizeof(struct bsd_members), .open = bsd_members_open,                \
		.set = bsd_members_set, .start = bsd_##probe_##_sample,                            \
		.sample = bsd_##probe_##_sample, .joined = bsd_##probe_##_joined,                  \
		.stop = bsd_members_stop, .close = bsd_members_close                               \
	}

#define BSD_HOST_BACKEND(name_, help_)                                                             \
	{                                                                                          \
		.name = name_, .probe = "host", .help = help_, .start = bsd_host_sample,           \
		.sample = bsd_host_sample                                                          \
	}

/* Defines the functions of a backend around `visit`, which samples one process. */
#define BSD_SAMPLING_FUNCTIONS(probe_, visit)                                                      \
	int bsd_##probe_##_sample(struct backend_run *run, struct sooth_error *err)                \
	{                                                                                          \
		return bsd_members_visit(run, visit, err);                                         \
	}                                                                                          \
	void bsd_##probe_##_joined(struct backend_run *run, const struct process_id *process)      \
	{                                                                                          \
		bsd_members_visit_one(run, process, visit);                                        \
	}

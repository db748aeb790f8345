/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of a backend of the probe proc. */
#pragma once

#include "collect/backend.h"
#include "os/bsd/agent_sessions.h"
#include "os/bsd/members.h"
#include "os/bsd/proc_links.h"

struct bsd_proc {
	struct bsd_members members; /* first */
	struct agent_set *agents;
	struct buffer entries; /* struct bsd_proc_entry of the sample, by pid */
	struct buffer texts;   /* texts of the entries */
	struct buffer scratch, masked;
	struct bsd_links links;
	struct bsd_sessions sessions;
	uint64_t reported_ns; /* end of the last sample */
	bool has_reported_hidden;
};

int bsd_proc_open(struct backend_run *run, struct sooth_error *err);
int bsd_proc_sample(struct backend_run *run, struct sooth_error *err);
int bsd_proc_stop(struct backend_run *run, struct sooth_error *err);
void bsd_proc_joined(struct backend_run *run, const struct process_id *process);
void bsd_proc_close(struct backend_run *run);

#define BSD_PROC_BACKEND(name_, help_)                                                             \
	{                                                                                          \
		.name = name_, .probe = "proc", .help = help_,                                     \
		.state_size = sizeof(struct bsd_proc), .open = bsd_proc_open,                      \
		.set = bsd_members_set, .start = bsd_proc_sample, .sample = bsd_proc_sample,       \
		.joined = bsd_proc_joined, .stop = bsd_proc_stop, .close = bsd_proc_close          \
	}

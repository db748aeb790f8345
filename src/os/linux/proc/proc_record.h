/* SPDX-License-Identifier: BSD-2-Clause */
/* Records proc.process: brief for most processes, whole for those close to an agent or selected. */
#ifndef SOOTH_OS_LINUX_PROC_RECORD_H
#define SOOTH_OS_LINUX_PROC_RECORD_H

#include "collect/backend.h"
#include "os/linux/host/control_groups.h"
#include "os/linux/proc/proc_values.h"
#include "os/linux/programs/programs.h"
#include "os/linux/files/process_snapshot.h"
#include "probes/proc.h"

/* The data of a whole record besides the values. */
struct proc_particulars {
	const char *user; /* "": none */
	bool is_deleted;
	uint8_t executable_state, arguments_state;
	struct span executable, arguments;
	/* Filled by proc_particulars_read(). */
	uint8_t directory_state, control_group_state, descriptors_state;
	uint32_t descriptors;
	struct buffer directory, control_group, scratch;
	enum proc_frozen frozen;
	/* Where control groups are mounted, read for the first process that is in one; owned. */
	struct control_groups *groups;
};

/* Only the values and the user's name, and whether its executable was not read or refused. */
void proc_record_brief(struct backend_run *run, const struct proc_values *values, const char *user,
	bool is_refused);
/* A record that was written before, with new values. */
void proc_record_again(
	struct backend_run *run, const struct proc_values *values, const void *record, size_t size);
void proc_record_whole(struct backend_run *run, const struct proc_values *values,
	const struct proc_particulars *p, const struct program_facts *facts);

#endif

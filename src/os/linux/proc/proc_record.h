/* SPDX-License-Identifier: BSD-2-Clause */
/* Records proc.process: brief for most processes, whole for those close to an agent or selected. */
#pragma once

#include "base/map.h"
#include "collect/backend.h"
#include "os/linux/host/control_groups.h"
#include "os/linux/proc/proc_selection.h"
#include "os/linux/proc/proc_values.h"
#include "os/linux/programs/programs.h"
#include "probes/proc.h"

/* The data of a whole record besides struct proc_values. */
struct proc_particulars {
	const char *user; /* "": none */
	bool is_deleted;
	uint8_t executable_state, arguments_state, proxies_state;
	struct span executable, arguments, proxies;
	/* Filled by proc_particulars_read(). */
	uint8_t directory_state, control_group_state, descriptors_state;
	uint32_t descriptors;
	struct buffer directory, control_group, scratch;
	enum proc_frozen frozen;
	/* Where control groups are mounted, read for the first process that is in one; owned. */
	struct control_groups *groups;
};

/* Appends a record with only the values, the user's name, and whether reading the executable was
 * refused. */
void proc_record_append_brief(struct backend_run *run, const struct proc_values *values,
	const char *user, bool is_refused);
void proc_record_append_full(struct backend_run *run, const struct proc_values *values,
	const struct proc_particulars *p, const struct program_facts *facts);

/*
 * Data that repeated samples need not read each time: identity, program, working directory. It is
 * read again after some time, after an exec, and when parent or name change; if it depends on other
 * processes, also as soon as one of them has ended. Values and states are always those of the
 * sample.
 */
#define PROC_REFRESH_NS (10 * (uint64_t)1000000000) /* no reported data is older */
/* The same for a process that has not run in the meantime: deleted program, control group. */
#define PROC_REFRESH_LATE_NS (30 * (uint64_t)1000000000)

struct proc_refresh {
	struct map known; /* process_id -> struct refresh_known */
	bool is_on;	  /* samples are repeated, so data is kept */
	uint64_t now_ns;
	uint32_t sample;
};

void proc_refresh_init(struct proc_refresh *r);
void proc_refresh_fini(struct proc_refresh *r);
void proc_refresh_begin(struct proc_refresh *r, const struct backend_run *run, bool is_on);
/* Restores the agent and role that were found earlier. False: they have to be determined; the token
 * is set. */
bool proc_refresh_recall(struct proc_refresh *r, struct proc_entry *e);
/* Returns whether a close process has ended since the last sample; valid once all close ones are
 * known. */
bool proc_refresh_one_ended(struct proc_refresh *r);
/* Returns whether the kept data is still valid. */
bool proc_refresh_is_fresh(struct proc_refresh *r, const struct proc_entry *e, bool has_ended);
/* Writes the kept record, with the values of this sample. */
void proc_refresh_write(
	const struct proc_refresh *r, struct backend_run *run, const struct proc_entry *e);
/* Returns the kept record. */
const struct proc_process *proc_refresh_record(
	const struct proc_refresh *r, const struct proc_entry *e);
/* Keeps the record that was written. has_input: its data depends on other processes too. */
void proc_refresh_keep_record(struct proc_refresh *r, const struct proc_entry *e,
	const void *record, size_t size, bool has_input);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Selects the processes of a sample that are read in full: agents, their children, processes with
 * their markers, and detached processes (proc_detached.h), one of which may be a server that an
 * agent left behind. */
#pragma once

#include <stddef.h>

#include "recognize/agent.h"
#include "os/linux/proc/proc_values.h"

/* A process of the current sample. */
struct proc_entry {
	struct proc_values values;
	const struct agent *agent; /* the agent that the process is; NULL: none */
	enum agent_role role;
	uint64_t token;		/* changes at an exec; 0: unknown */
	uint32_t copied;	/* 1 + index of the entry that it was forked from; 0: none */
	uint32_t executable_at; /* in proc_reader.texts */
	uint32_t executable_size;
	uint8_t executable_state; /* enum sooth_state, valid if has_executable */
	bool has_executable;	  /* the executable was read */
	bool is_deleted;
	bool is_plain; /* known to be no agent, without its arguments */
	bool has_markers;
	bool is_unread;	   /* reading its arguments timed out, so it may be an agent */
	bool is_close;	   /* close to an agent: read in full */
	bool is_detached;  /* read in full too, but no relation to an agent is known */
	bool is_no_server; /* it is not and will not be a server: its name does not match */
	bool is_fresh;	   /* its kept data is still valid (proc_record.h) */
	uint8_t reads;	   /* enum proc_read: reads needed to find out whether it is close */
};

/* Sorts them by pid, and sets is_close. */
void proc_selection_mark_close(struct proc_entry *entries, size_t count);
/* Returns the parent of `e` in sorted entries, which `e` may follow; NULL: it is not among them. */
const struct proc_entry *proc_selection_parent(
	const struct proc_entry *entries, size_t count, const struct proc_entry *e);
/* Returns whether the process that started `e` has ended, as far as /proc shows. Entries are
 * sorted. */
bool proc_selection_is_left(
	const struct proc_entry *entries, size_t count, const struct proc_entry *e);
/* Returns whether `pid` is that process, or a descendant of it. */
bool proc_selection_is_below(
	const struct proc_entry *entries, size_t count, uint32_t above, uint32_t pid);

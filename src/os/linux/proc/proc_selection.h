/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which processes of a sample everything is read of: agents, what they started, whoever
 * bears their markers; and strays (proc_detached.h), one of which may be a server that an agent
 * left behind.
 */
#ifndef SOOTH_OS_LINUX_PROC_SELECTION_H
#define SOOTH_OS_LINUX_PROC_SELECTION_H

#include <stddef.h>

#include "core/agent.h"
#include "os/linux/proc/proc_values.h"

/* A process of the sample at hand. */
struct proc_entry {
	struct proc_values figures;
	const struct agent *agent; /* that it is; NULL: none */
	enum agent_role role;
	uint64_t token;		/* another one after an exec; 0: not known */
	uint32_t copied;	/* 1 + which entry it is a copy of, by fork(2); 0: none */
	uint32_t executable_at; /* in proc_reader.texts */
	uint32_t executable_size;
	uint8_t executable_state; /* enum sooth_state; has a value: it was looked for */
	bool has_executable;	  /* it was looked for */
	bool is_deleted;
	bool is_plain;	   /* known to be no agent, without a look at its arguments */
	bool is_bearer;	   /* has markers */
	bool is_unread;	   /* reading what would tell whether it is an agent did not return */
	bool is_close;	   /* to an agent: all is read of it */
	bool is_detached;  /* likewise, but nothing says that it has to do with one */
	bool is_no_server; /* and will not be one: it is not called so */
	bool is_fresh;	   /* what is kept of it will do (proc_refresh.h) */
	uint8_t wants;	   /* enum proc_want, before it is known who is close */
};

/* Sorts them by pid, and sets is_close. */
void proc_selection_find(struct proc_entry *entries, size_t count);
/* Of sorted ones, of which that one may be the next: its parent; NULL: it is not there. */
const struct proc_entry *proc_selection_parent(
	const struct proc_entry *entries, size_t count, const struct proc_entry *e);
/* Of sorted ones: who started it has ended, as far as /proc tells. */
bool proc_selection_is_left(
	const struct proc_entry *entries, size_t count, const struct proc_entry *e);
/* Whether the process `pid` is that one, or below it. */
bool proc_selection_is_below(
	const struct proc_entry *entries, size_t count, uint32_t above, uint32_t pid);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The descendants of a process that were ended by signals, grouped by name, signal and way: a
 * single end may be intended, but rarely the same end again and again. */
#ifndef SOOTH_ANALYZE_ENDED_CHILDREN_H
#define SOOTH_ANALYZE_ENDED_CHILDREN_H

#include "analyze/diagnosis/check.h"

enum ended_by {
	ENDED_BY_UNSEEN, /* the sender is not known */
	ENDED_BY_ITSELF, /* itself, or PR_SET_PDEATHSIG because its parent ended */
	ENDED_BY_TREE,	 /* the diagnosed process, or one that it started */
	ENDED_BY_PARENT,
	ENDED_BY_OTHER,	    /* a process that the diagnosed one did not start */
	ENDED_BY_OWN_CHILD, /* a child or another descendant of the ended process */
	ENDED_BY_KERNEL,
	ENDED_BY_MEMORY, /* the OOM killer */
};

struct ended_children {
	enum ended_by by;
	uint32_t signal;
	uint32_t status; /* as wait(2) gives it */
	char name[EXIT_REASONS_NAME_SIZE];
	char sender_name[EXIT_REASONS_NAME_SIZE];
	uint64_t count;
	uint64_t early;	  /* of `count`: in the first half of the observation */
	uint64_t direct;  /* of `count`: children of the process itself */
	uint64_t known;	  /* of `count`: the command lines of both are known */
	uint64_t matched; /* of `known`: the sender searched for a text that is in that of the child
			   */
	uint64_t life_ns; /* total */
	uint64_t first_ns; /* the first end */
	struct process_id last, last_sender;
	bool has_senders; /* different processes */
	bool is_far;	  /* a sender is the child of a child, or further below */
};

/* Sets `groups` to a map of the groups, which the caller releases; the value is struct
 * ended_children. */
void ended_children_of(struct map *groups, const struct check *e);
/* Returns how many descendants with this name are known to have ended, in any way, from the first
 * one of the group on: the probes do not begin at the same time. */
uint64_t ended_children_count(const struct check *e, const struct ended_children *g);
/* Returns how many descendants ended by a signal that is not of their own making; where the senders
 * were not recorded, that is all that is known. */
uint64_t ended_children_signaled(const struct check *e);
/* Returns the arguments of a process, NUL-separated, masked and perhaps cut; empty: not known. */
struct span ended_children_command(const struct check *e, const struct process_id *id);
/* Returns the text that `pkill -f` was given, within its arguments; empty: it has special
 * characters, there are other conditions, or it is another command. */
struct span ended_children_pattern(struct span arguments);

#endif

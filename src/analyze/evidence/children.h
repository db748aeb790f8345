/* SPDX-License-Identifier: BSD-2-Clause */
/* The children of a process by kind: same program and arguments, except for numbers. A single child
 * may look ordinary, while all children of a kind together are a problem. */
#ifndef SOOTH_ANALYZE_CHILDREN_H
#define SOOTH_ANALYZE_CHILDREN_H

#include "analyze/diagnosis/check.h"

enum child_link {
	CHILD_NONE,
	CHILD_DIRECT,
	CHILD_BELOW,   /* a descendant other than a child */
	CHILD_ADOPTED, /* what started it has ended: now a child of init or of a subreaper */
};

struct child_kind {
	enum child_link link;
	const struct process_entry *oldest,
		*newest;	     /* oldest and newest living child; NULL: all have ended */
	unsigned alive, came, ended; /* came, ended: during the observation */
	unsigned idle;		     /* of `alive`: slept in each sample and used no CPU */
	uint64_t rss_bytes;
	uint64_t most_cpu_ns; /* CPU time of the busiest one since its start */
	struct buffer starts; /* uint64_t: start times of living ones in clock ticks, sorted */
};

struct children {
	const struct check *of;
	uint64_t other_starter_ticks; /* start of the first other process that may have started some
				       */
	struct map kinds; /* uint64_t: hash of link, name and arguments -> struct child_kind */
	struct map names; /* uint64_t: hash of link and name -> uint64_t, a key of `kinds` */
};

/* To be released by children_fini(). */
void children_of(struct children *c, const struct check *e);
void children_fini(struct children *c);
/* Returns the kind of a living process; NULL: it is no child. */
const struct child_kind *children_kind_of(const struct children *c, const struct process_entry *p);

/* Returns the age of a process, in whole seconds. */
uint64_t child_age_ns(const struct check *e, const struct process_entry *p);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The children of a process by kind: same program and arguments, except for numbers. A single child
 * may look ordinary, while all children of a kind together are a problem. And what its descendants
 * did: calls of short-lived commands, waits of many for one file system.
 */
#pragma once

#include "analyze/diagnosis/check.h"

enum child_link {
	CHILD_NONE,
	CHILD_DIRECT,
	CHILD_BELOW,   /* a descendant other than a child */
	CHILD_ADOPTED, /* the process that started the child has ended: its parent is now init or a
			  subreaper */
};

struct child_kind {
	enum child_link link;
	const struct process_entry *oldest,
		*newest;	     /* oldest and newest living child; NULL: all have ended */
	unsigned alive, came, ended; /* came, ended: during the observation */
	unsigned idle; /* children of `alive` that slept in each sample and used no CPU */
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

/* Counts the children. The caller calls children_fini(). */
void children_of(struct children *c, const struct check *e);
void children_fini(struct children *c);
/* Returns the kind of a living process; NULL: it is no child. */
const struct child_kind *children_kind_of(const struct children *c, const struct process_entry *p);

/* Returns whether both run the same program, with the same arguments except for numbers. */
bool child_is_alike(const struct process_entry *a, const struct process_entry *b);

/* Returns the age of a process, in whole seconds. */
uint64_t child_age_ns(const struct check *e, const struct process_entry *p);

/*
 * The calls made by the short-lived commands of a process: a shell that runs a failing psql in a
 * loop makes no failing call itself. The calls of its descendants are added up, except below
 * descendants that are diagnosed: these have findings of their own.
 */

#define CHILD_CALLS_NAMES 64

struct child_peer {
	struct call_peer sum;	       /* `failed` does not include `excused` */
	char names[CHILD_CALLS_NAMES]; /* "psql, curl": programs whose attempts failed */
};

struct child_failures {
	uint64_t children; /* children that failed after such a call */
	uint64_t first_ns, last_ns;
	char names[CHILD_CALLS_NAMES];
};

struct child_calls {
	struct map peers;    /* call_path -> struct child_peer */
	struct map failures; /* call_place -> struct child_failures */
};

/* Calls `take` with the calls of each process that this process started. If these processes are not
 * known, `take` is not called. */
void child_calls_each(const struct check *e,
	void (*take)(void *user, const struct call_history *child), void *user);
/* Leaves `c` empty if the processes that this process started are unknown. */
void child_calls_read(struct child_calls *c, const struct check *e);
void child_calls_fini(struct child_calls *c);

/* Descendants of a process that all wait for one file system, or in one kernel function. One report
 * is enough, about the process that started them. */

/* The remedy for a mount whose server does not answer; {server} is its PID. */
#define BLOCKED_CHILDREN_REMEDY                                                                    \
	"sooth why {server} shows what the server does: repair or end it, or drop the mount "      \
	"(umount -f -l); the waits end with it"
#define BLOCKED_CHILDREN_LEAST 3
#define BLOCKED_CHILDREN_MAX   32

struct blocked_children {
	size_t count;
	const struct process_entry *all[BLOCKED_CHILDREN_MAX];
	struct span point; /* mount point; empty: not known */
	struct span path;  /* a file that one of them waits for; empty: not known */
	struct span channel;
	const struct waits_party *server; /* NULL: not known; without a PID: not found */
	uint64_t least_ns, most_ns;	  /* time of their waits, the shortest and the longest */
	bool are_of_file_system;
	bool is_cut; /* the list is cut: there may be more */
};

/* Finds the largest group of descendants in one wait of at least `min_ns`; count 0: none. */
void blocked_children_of(struct blocked_children *b, const struct check *e, uint64_t min_ns);
/* Returns the process closest to the group that has the whole group below it. */
const struct process_entry *blocked_children_starter(
	const struct blocked_children *b, const struct process_entry *top);
/* Returns whether the process of the check is in such a group of a diagnosed ancestor. */
bool blocked_children_have(const struct check *e, uint64_t min_ns);

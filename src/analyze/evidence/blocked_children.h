/* SPDX-License-Identifier: BSD-2-Clause */
/* Descendants of a process that all wait for one file system, or in one kernel function. One report
 * is enough, about the process that started them. */
#ifndef SOOTH_ANALYZE_BLOCKED_CHILDREN_H
#define SOOTH_ANALYZE_BLOCKED_CHILDREN_H

#include "analyze/diagnosis/check.h"

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
	bool is_cut; /* there may be more */
};

/* Finds the largest group of descendants in one wait of at least `min_ns`; count 0: none. */
void blocked_children_of(struct blocked_children *b, const struct check *e, uint64_t min_ns);
/* Returns the process closest to the group that has the whole group below it. */
const struct process_entry *blocked_children_starter(
	const struct blocked_children *b, const struct process_entry *top);
/* Returns whether the process of the check is in such a group of a diagnosed ancestor. */
bool blocked_children_have(const struct check *e, uint64_t min_ns);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chains of descendants: a program that starts itself without end, or two programs that start each
 * other, have about as many levels as processes. The processes of a build or pool are siblings.
 */
#ifndef SOOTH_ANALYZE_NESTING_H
#define SOOTH_ANALYZE_NESTING_H

#include "analyze/process_table/process_table.h"

struct nesting {
	unsigned levels;		 /* levels of descendants; 0: no children */
	unsigned alive;			 /* number of descendants */
	const struct process_entry *one; /* a process of the program that most levels run */
	const struct process_entry
		*other; /* a process of the program that takes turns with it; NULL: none */
};

struct nesting nesting_below(const struct process_table *table, const struct process_entry *top);
/* Returns whether this is a recursion: most descendants are each a level of their own. */
bool nesting_is_endless(const struct nesting *n);

#endif

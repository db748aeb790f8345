/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/nesting.h"

#include <assert.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/starts.h"

#define LEVELS_MAX 4096

NUMBER(LEVELS_LEAST, 20, NONE, "least levels; a shell below make below an agent's shell is less");
NUMBER(LEVELS_SHARE, 0.6, NONE, "of the levels that are of the most frequent program");
NUMBER(IN_TURN, 4, NONE, "levels within which two programs alternate");
NUMBER(OTHER_SHARE, 3, NONE, "least part of the levels that a second program has, as divisor");

static unsigned levels_between(const struct process_entry *top, const struct process_entry *p)
{
	unsigned levels = 0;

	for (; p && p != top && levels < LEVELS_MAX; p = p->parent)
		levels++;
	return levels;
}

static unsigned count_of(
	const struct process_entry *top, const struct process_entry *deepest, struct span name)
{
	unsigned count = 0, levels = 0;

	for (const struct process_entry *p = deepest; p && p != top && levels < LEVELS_MAX;
		p = p->parent, levels++)
		count += !span_compare(check_name(p), name);
	return count;
}

/* Returns the process of the last levels whose program has most levels, at least `least`; NULL:
 * none. Shells and the program `but` count only without `but`. */
static const struct process_entry *most_frequent(const struct process_entry *top,
	const struct process_entry *deepest, unsigned least, const struct process_entry *but)
{
	const struct process_entry *found = NULL, *p = deepest;

	for (unsigned i = 0; i < IN_TURN && p && p != top; i++, p = p->parent) {
		unsigned count = count_of(top, deepest, check_name(p));

		if (count < least || (found && count == least) ||
			(but && (starts_are_of_a_shell(p) ||
					!span_compare(check_name(p), check_name(but)))))
			continue;
		least = count;
		found = p;
	}
	return found;
}

struct nesting nesting_below(const struct process_table *table, const struct process_entry *top)
{
	const struct process_entry *deepest;
	struct nesting n = { 0 };

	process_table_for_each (table, p) {
		bool is_below = p != top && process_table_is_below(p, top);
		unsigned levels = is_below && !p->zombie_ns ? levels_between(top, p) : 0;

		n.alive += levels > 0;
		if (levels > n.levels) {
			n.levels = levels;
			n.one = p;
		}
	}
	if (!n.one)
		return n;
	deepest = n.one;
	n.one = most_frequent(top, deepest, 1, NULL);
	n.other = most_frequent(top, deepest, (unsigned)(n.levels / OTHER_SHARE), n.one);
	return n;
}

bool nesting_is_endless(const struct nesting *n)
{
	assert(n);
	return n->levels >= LEVELS_LEAST && n->levels >= LEVELS_SHARE * n->alive;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/nesting.h"

#include <assert.h>

#define LEVELS_MAX   4096
#define LEVELS_LEAST 20 /* a shell below make below a shell of an agent: fewer */
#define LEVELS_SHARE 0.6
#define IN_TURN	     4

static unsigned levels_between(const struct process_entry *top, const struct process_entry *p)
{
	unsigned levels = 0;

	for (; p && p != top && levels < LEVELS_MAX; p = p->parent)
		levels++;
	return levels;
}

static struct span name_of(const struct process_entry *p)
{
	return record_text(&p->process->record, &p->process->name);
}

/* Programs that start one another in turn are next to each other. */
static const struct process_entry *most_frequent(
	const struct process_entry *top, const struct process_entry *deepest)
{
	const struct process_entry *candidate = deepest, *best = deepest;
	unsigned most = 0;

	for (unsigned i = 0; i < IN_TURN && candidate && candidate != top; i++) {
		unsigned count = 0, levels = 0;

		for (const struct process_entry *p = deepest; p && p != top && levels < LEVELS_MAX;
			p = p->parent, levels++)
			count += !span_compare(name_of(p), name_of(candidate));
		if (count > most) {
			most = count;
			best = candidate;
		}
		candidate = candidate->parent;
	}
	return best;
}

struct nesting nesting_below(const struct process_table *table, const struct process_entry *top)
{
	struct nesting n = { 0 };

	process_table_for_each (table, p) {
		bool is_below = p != top && process_table_is_below(p, top);
		unsigned levels = is_below && !p->zombie_ns ? levels_between(top, p) : 0;

		if (levels > n.levels)
			n = (struct nesting){ levels, p };
	}
	if (n.one)
		n.one = most_frequent(top, n.one);
	return n;
}

bool nesting_is_endless(const struct nesting *n, double alive)
{
	assert(n);
	return n->levels >= LEVELS_LEAST && n->levels >= LEVELS_SHARE * alive;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/held.h"

#include <assert.h>

#include "analyze/inspect/limits.h"
#include "base/units.h"

NUMBER(IO_WAITED_LEAST, 50, PERCENT, "of samples in which a thread waited for I/O");
NUMBER(IO_SAMPLES_LEAST, 5, NONE, "with fewer samples a share means nothing");
NUMBER(IO_MOVED_LEAST, 0.5, NONE, "share of the limit; below, the disk itself is slow");
NUMBER(IO_MOVED_MOST, 2.2, NONE, "a copy reads as much as it writes");

static bool compare(
	const struct snapshot *first, const struct limits_group *last, struct held_limit *limit)
{
	const struct limits_group *before = first ? limit_sums_same_group(first, last) : NULL;
	uint64_t interval_ns;

	if (!before || before == last || before->reached_state || last->reached_state ||
		last->limit_state || last->reached < before->reached ||
		last->record.time_ns <= before->record.time_ns)
		return false;
	interval_ns = last->record.time_ns - before->record.time_ns;
	*limit = (struct held_limit){ last,
		(double)(last->reached - before->reached) * (double)NS_PER_S / (double)interval_ns,
		interval_ns };
	return true;
}

struct held_limit held_limit_of(const struct check *e, const char *name)
{
	assert(e);

	const struct snapshot *first = check_first(e, &e->input->limits);
	struct held_limit most = { 0 }, one;

	snapshot_each_of (struct limits_group, g, check_last(e, &e->input->limits), LIMITS_GROUP,
		LIMITS_GROUP_LEAST) {
		if (limit_sums_group_is(g, name) && compare(first, g, &one) &&
			one.per_s > most.per_s)
			most = one;
	}
	return most;
}

/* Returns the lowest limit of the control group and the groups above it. */
static const struct limits_group *tightest(const struct check *e, const char *name)
{
	const struct limits_group *found = NULL;

	snapshot_each_of (struct limits_group, g, check_last(e, &e->input->limits), LIMITS_GROUP,
		LIMITS_GROUP_LEAST) {
		if (g->limit_state == SOOTH_STATE_VALUE && limit_sums_group_is(g, name) &&
			(!found || g->limit < found->limit))
			found = g;
	}
	return found;
}

static bool fits(const struct limits_group *g, double moved_per_s)
{
	return g && moved_per_s >= IO_MOVED_LEAST * (double)g->limit &&
	       moved_per_s <= IO_MOVED_MOST * (double)g->limit;
}

struct held_io held_io_of(const struct check *e)
{
	assert(e);

	const struct limits_group *reads = tightest(e, "io-read"),
				  *writes = tightest(e, "io-write");
	const struct thread_history *t;
	struct held_io most = { 0 };
	size_t position = 0;

	while ((reads || writes) &&
		(t = thread_histories_next(&e->input->threads, &e->id, &position))) {
		double waited = t->met ? 100.0 * t->uninterruptible / t->met : 0;
		double moved = thread_history_moved_bytes(t);
		bool is_write = fits(writes, moved) && !fits(reads, moved);

		if (t->met < IO_SAMPLES_LEAST || waited < IO_WAITED_LEAST ||
			waited <= most.waited || (!is_write && !fits(reads, moved)))
			continue;
		most = (struct held_io){ is_write ? writes : reads, is_write, moved, waited, t->tid,
			thread_history_ns(t) };
	}
	return most;
}

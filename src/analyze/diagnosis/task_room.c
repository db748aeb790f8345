/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/task_room.h"

#include <assert.h>

#include "analyze/inspect/limits.h"

/* The group is full, or was at some time of the observation. */
static bool refused(const struct check *e, const struct limits_group *g)
{
	const struct snapshot *first = check_first(e, &e->input->limits);
	const struct limits_group *before = first ? limit_sums_same_group(first, g) : NULL;

	if (g->used_state == SOOTH_STATE_VALUE && g->used >= g->limit)
		return true;
	return before && before->reached_state == SOOTH_STATE_VALUE &&
	       g->reached_state == SOOTH_STATE_VALUE && g->reached > before->reached;
}

const struct limits_group *task_room_full_group(const struct check *e)
{
	assert(e);

	const struct snapshot *last = check_last(e, &e->input->limits);
	struct batch all = last ? snapshot_records(last) : (struct batch){ 0 };

	batch_for_each (r, &all) {
		const struct limits_group *g = limit_sums_group(r);

		if (g && limit_sums_group_is(g, "pids") && g->limit_state == SOOTH_STATE_VALUE &&
			refused(e, g))
			return g;
	}
	return NULL;
}

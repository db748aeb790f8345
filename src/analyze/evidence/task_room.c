/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/task_room.h"

#include <assert.h>

#include "analyze/inspect/limits.h"

static const struct limits_group *at_first(const struct check *e, const struct limits_group *g)
{
	const struct snapshot *first = check_first(e, &e->input->limits);

	return first ? limit_sums_same_group(first, g) : NULL;
}

static bool is_full(const struct limits_group *g)
{
	return g->limit_state == SOOTH_STATE_VALUE && g->used_state == SOOTH_STATE_VALUE &&
	       g->used >= g->limit;
}

uint64_t task_room_in(const struct limits_group *g)
{
	return g->used_state != SOOTH_STATE_VALUE ? UINT64_MAX
	       : g->used < g->limit		  ? g->limit - g->used
						  : 0;
}

static uint64_t refused_by(const struct check *e, const struct limits_group *g)
{
	const struct limits_group *before = at_first(e, g);

	return before && before->reached_state == SOOTH_STATE_VALUE &&
			       g->reached_state == SOOTH_STATE_VALUE && g->reached > before->reached
		       ? g->reached - before->reached
		       : 0;
}

/* Counts refusals. In version 1 the group of the starting process counts them, whichever is
 * full. */
static void count(struct task_room *out, const struct check *e, const struct limits_group *g)
{
	uint64_t refused = refused_by(e, g);

	if (g->reached_state != SOOTH_STATE_VALUE || (g != out->group && g->is_inherited))
		return;
	out->is_counted = true;
	out->refused = refused > out->refused ? refused : out->refused;
	out->refused_all = g->reached > out->refused_all ? g->reached : out->refused_all;
}

void task_room_find(struct task_room *out, const struct check *e)
{
	assert(e);

	const struct snapshot *last = check_last(e, &e->input->limits);
	struct batch all = last ? snapshot_records(last) : (struct batch){ 0 };
	const struct limits_group *before;
	uint64_t most = 0;

	assert(out);
	*out = (struct task_room){ 0 };
	batch_for_each (r, &all) {
		const struct limits_group *g = limit_sums_group(r);
		uint64_t refused = g ? refused_by(e, g) : 0;

		if (!g || !limit_sums_group_is(g, "pids") || g->limit_state != SOOTH_STATE_VALUE ||
			(out->group && refused <= most &&
				(refused < most || task_room_in(g) >= task_room_in(out->group))))
			continue;
		out->group = g;
		most = refused;
	}
	if (!out->group)
		return;
	batch_for_each (r, &all) {
		const struct limits_group *g = limit_sums_group(r);

		if (g && limit_sums_group_is(g, "pids"))
			count(out, e, g);
	}
	before = at_first(e, out->group);
	out->is_full = is_full(out->group);
	out->was_full = before && is_full(before);
}

const struct limits_group *task_room_full_group(const struct check *e)
{
	struct task_room room;

	task_room_find(&room, e);
	return room.is_full || room.refused ? room.group : NULL;
}

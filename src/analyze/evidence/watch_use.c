/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/watch_use.h"

#include <assert.h>

#include "analyze/fds/fd_sums.h"

/* Returns the last record of the descriptors; NULL: they are unknown. */
static const struct fds_process *counts_of(
	const struct snapshot *snapshot, uint64_t counts[WATCH_KINDS])
{
	struct fd_sums sums;

	fd_sums_of(&sums, snapshot);
	if (!sums.process || sums.process->descriptors_state > SOOTH_STATE_TRUNCATED)
		return NULL;
	counts[WATCH_WATCHES] = sums.process->watches;
	counts[WATCH_INSTANCES] = sums.instances;
	return sums.process;
}

static void add(
	struct watch_use *u, const struct process_id *id, const uint64_t counts[WATCH_KINDS])
{
	for (int k = 0; k < WATCH_KINDS; k++) {
		u->sum[k] += counts[k];
		if (counts[k] < u->most_count[k] ||
			(counts[k] == u->most_count[k] && id->pid > u->most[k].pid))
			continue;
		u->most[k] = *id;
		u->most_count[k] = counts[k];
	}
}

static void add_others(struct watch_use *u, const struct check *e)
{
	const struct process_table *c = &e->input->host.process_table;
	uint32_t uid = e->process->process->uid;

	process_table_for_each (c, p) {
		const struct fds_process *end = NULL;
		uint64_t counts[WATCH_KINDS];
		const struct snapshot *snapshot;

		if (p->process->uid != uid)
			continue;
		u->there++;
		if (p == e->process) {
			u->read++;
			continue;
		}
		snapshot = snapshots_get(&e->input->fds.last, &p->id);
		if (snapshot)
			end = counts_of(snapshot, counts);
		if (!end || end->inotify_state != SOOTH_STATE_VALUE)
			continue;
		u->read++;
		add(u, &p->id, counts);
	}
}

bool watch_use_of(struct watch_use *u, const struct check *e)
{
	assert(e);

	const struct snapshot *last = check_last(e, &e->input->fds);
	const struct fds_process *end;

	assert(u);
	*u = (struct watch_use){ 0 };
	end = last ? counts_of(last, u->own) : NULL;
	if (!end || end->inotify_state != SOOTH_STATE_VALUE)
		return false;
	u->limit[WATCH_WATCHES] = end->watches_max;
	u->limit[WATCH_INSTANCES] = end->instances_max;
	for (int k = 0; k < WATCH_KINDS; k++) {
		u->sum[k] = u->most_count[k] = u->own[k];
		u->most[k] = e->id;
	}
	if (e->process)
		add_others(u, e);
	return true;
}

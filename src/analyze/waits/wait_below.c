/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_below.h"

#include <assert.h>

#include "analyze/snapshots.h"
#include "analyze/waits/wait_lookup.h"

static bool is_one_of(uint32_t pid, const uint32_t *pids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (pids[i] == pid)
			return true;
	}
	return false;
}

bool waits_for_descendant(
	const struct batch *records, uint32_t pid, const uint32_t *below, size_t count)
{
	struct wait_graph g = { .records = *records };
	const struct waits_process *p = wait_graph_process(&g, pid);
	const struct waits_thread *t = NULL;

	while (p && (t = wait_graph_thread(&g, pid, t))) {
		struct wait_link link = wait_link_of(&g, p, t);

		if (link.what == WAIT_CHILD || link.what == WAIT_SIGNAL ||
			(link.party && is_one_of(link.party->party_pid, below, count)))
			return true;
	}
	return false;
}

static bool is_without_rest(const struct snapshot *snapshot)
{
	struct wait_graph g = wait_graph_of(snapshot, NULL);
	uint32_t pid = snapshot->id.pid;
	const struct waits_process *p = wait_graph_process(&g, pid);
	const struct waits_thread *t = NULL;

	while (p && (t = wait_graph_thread(&g, pid, t))) {
		struct wait_link link = wait_link_of(&g, p, t);

		if (link.what == WAIT_RUNS || wait_is_held(&link) || wait_is_stopped(&link))
			return true;
	}
	return false;
}

/* One snapshot has the whole chain of a process, so many children of one parent are in each other's
 * snapshots: a process is searched only in its own. */
void waits_keep_without_rest(const struct batch *records, struct buffer *pids)
{
	struct buffer kept = { 0 };
	struct snapshots all;

	assert(records);
	assert(pids);
	snapshots_init(&all, WAITS_SNAPSHOT);
	batch_for_each (r, records)
		snapshots_add_record(&all, r);
	snapshots_for_each (&all, one) {
		if (is_one_of(
			    one->id.pid, (const void *)pids->data, pids->size / sizeof(uint32_t)) &&
			is_without_rest(one))
			buffer_append(&kept, &one->id.pid, sizeof(uint32_t));
	}
	buffer_reset(pids);
	buffer_append(pids, kept.data, kept.size);
	buffer_fini(&kept);
	snapshots_fini(&all);
}

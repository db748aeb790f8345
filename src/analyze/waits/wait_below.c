/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_below.h"

#include "analyze/waits/wait_beside.h"
#include "analyze/waits/wait_text.h"

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

bool waits_without_rest(const struct batch *records, uint32_t pid)
{
	struct wait_graph g = { .records = *records };
	const struct waits_process *p = wait_graph_process(&g, pid);
	const struct waits_thread *t = NULL;

	while (p && (t = wait_graph_thread(&g, pid, t))) {
		struct wait_link link = wait_link_of(&g, p, t);

		if (link.what == WAIT_RUNS || wait_is_held(&link) || stopped_process_text(&link))
			return true;
	}
	return false;
}

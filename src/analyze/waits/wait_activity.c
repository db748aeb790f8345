/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_activity.h"

#include <assert.h>
#include <stdio.h>

#include "analyze/waits/wait_text.h"

bool wait_activity_add(
	struct activity *a, const struct wait_graph *g, const struct wait_chain *chain)
{
	const struct wait_link *first = &chain->links[0];
	struct buffer text = { 0 };

	if (a->state == ACTIVITY_IDLE && chain->count && first->what == WAIT_RUNS &&
		first->cpu_percent >= ACTIVITY_COMPUTES_LEAST) {
		a->state = ACTIVITY_COMPUTES;
		a->has_since = false;
		a->is_status_idle = true;
	}
	/* A wait for events says no more than "not known". */
	if (a->state != ACTIVITY_UNKNOWN || !chain->count || first->is_idle || first->is_active ||
		first->what == WAIT_UNKNOWN || wait_chain_unknown(chain))
		return false;
	wait_link_text(&text, g, first);
	snprintf(a->wait, sizeof(a->wait), "%s", buffer_cstr(&text));
	buffer_fini(&text);
	return true;
}

void wait_activity_find(
	struct activity *a, const struct host_state *host, const struct process_entry *main)
{
	assert(host);
	assert(main);

	const struct snapshot *last = snapshots_get(&host->waits, &main->id);
	struct wait_graph g = wait_graph_of(last, NULL);
	struct wait_chain chain;

	assert(a);
	activity_find(a, host, main);
	if (a->state != ACTIVITY_UNKNOWN || !last)
		return;
	wait_chain_follow(&g, main->id.pid, &chain);
	wait_activity_add(a, &g, &chain);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/work_share.h"

#include <assert.h>
#include <string.h>

#include "analyze/profile/profile_hot.h"
#include "analyze/sockets/socket_sums.h"
#include "probes/sockets.h"

void work_cpu_of(struct work_cpu *w, const struct check *e)
{
	assert(w);
	assert(e);
	*w = (struct work_cpu){ 0 };
	thread_histories_for_each (&e->input->threads, &e->id, t) {
		double cpu = thread_history_cpu(t), demand = thread_history_demand(t);

		if (cpu < 0)
			continue;
		w->is_measured = true;
		w->cpu += cpu;
		w->demand += demand > cpu ? demand : cpu;
		if (thread_history_ns(t) > w->interval_ns)
			w->interval_ns = thread_history_ns(t);
	}
}

void work_put_place(struct buffer *out, const struct check *e)
{
	struct profile_spots spots = { 0 };
	const char *place;

	assert(e);
	profile_spots(&e->input->profile, &e->id, &spots);
	place = buffer_cstr(spots.within.size ? &spots.within : &spots.hottest);
	if (strchr(place, '(')) /* the function has a name, with its file in brackets */
		buffer_format(out, "; in %s", place);
	profile_spots_fini(&spots);
}

bool work_has_listener(const struct check *e)
{
	assert(e);
	sockets_each (check_last(e, &e->input->sockets), s) {
		if (s->state == SOCKETS_LISTEN)
			return true;
	}
	return false;
}

bool work_should_wait(const struct process_entry *p)
{
	return p && (p->agent || (p->has_role && (p->role == AGENT_ROLE_MCP ||
							 p->role == AGENT_ROLE_LANGUAGE_SERVER)));
}

bool work_is_awaited(const struct check *e)
{
	return work_has_listener(e) || work_should_wait(e->process);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/work_share.h"

#include <assert.h>
#include <string.h>

#include "analyze/activity/activity.h"
#include "analyze/profile/profile_hot.h"
#include "analyze/sockets/socket_sums.h"
#include "explain/number.h"
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

NUMBER(OWN, 2, NONE, "ready threads of the diagnosed process and of sooth");
NUMBER(MOST, 8, NONE, "limit: two samples of the load are no proof of more");

double cpu_load_of(const struct diagnosis_input *input)
{
	assert(input);

	const struct host_load *first = &input->first_load, *last = &input->load;
	double cpu_load;

	if (!last->record.time_ns || !last->cpus || first->load_state || last->load_state)
		return 1;
	cpu_load = (((double)first->running + (double)last->running) / 2 - OWN) / last->cpus;
	return cpu_load < 1 ? 1 : cpu_load > MOST ? MOST : cpu_load;
}

/* --- the work of an agent --- */

static void find_session(struct agent_work *w, const struct check *e)
{
	process_table_for_each (&e->input->host.process_table, p) {
		if (p == e->process || p->main != e->process->main || !p->has_role)
			continue;
		w->has_server |= p->role == AGENT_ROLE_MCP;
		w->has_tool |= p->role == AGENT_ROLE_TOOL || p->role == AGENT_ROLE_HELPER;
	}
}

/* Finds whose turn it is by the agent's log: the model's, a tool's or the user's. */
static void find_turn(struct agent_work *w, const struct check *e)
{
	const struct proc_session *session = e->process->session;
	bool has_status = session && session->status_state == SOOTH_STATE_VALUE;

	if (!session || session->turn_state != SOOTH_STATE_VALUE)
		return;
	if (session->turn == PROC_TURN_TOOL || session->turn == PROC_TURN_PERMISSION)
		w->busy = NULL;
	else if (session->turn == PROC_TURN_MODEL && !has_status)
		w->busy = "its log: the model has to answer";
	else if (session->turn == PROC_TURN_USER && !has_status && !w->busy)
		w->is_idle = true;
}

/* Finds signs of work: a process with closed input that serves no client runs only while it has
 * work, as does an agent with headless arguments. */
static void find_work(struct agent_work *w, const struct check *e, bool is_listening)
{
	const struct proc_session *session = e->process->session;
	const struct proc_ties *links = e->process->links;

	if (session && session->status_state == SOOTH_STATE_VALUE) {
		struct span status = process_table_field(&session->record, &session->status);

		w->is_idle = !span_equal(status, "busy");
		w->busy = w->is_idle ? NULL : "status busy";
	} else if (links && links->stream_state[0] == SOOTH_STATE_VALUE && !is_listening &&
		   (links->stream[0] == PROC_STREAM_NULL || links->stream[0] == PROC_STREAM_FILE)) {
		w->busy = "input closed";
	} else if (w->is_headless && !is_listening) {
		w->busy = "headless";
	}
}

void agent_work_find(struct agent_work *w, const struct check *e, bool is_listening)
{
	assert(e);

	const struct process_entry *p = e->process;

	assert(w);
	if (!p || !p->agent)
		return;
	w->is_agent = !p->has_role || p->role == AGENT_ROLE_MAIN || p->role == AGENT_ROLE_DAEMON;
	/* A daemon works for the main process, and has the log of the session. */
	if (p->main != p && !process_table_is_worker(p))
		return;
	find_session(w, e);
	if (p->main == p) {
		w->is_headless = activity_has_headless_argument(p);
		find_work(w, e, is_listening);
	}
	find_turn(w, e);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/agent_work.h"

#include <assert.h>

#include "analyze/activity/activity.h"

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
	if (process_table_is_worker(p)) {
		find_session(w, e);
		find_turn(w, e);
	}
	if (p->main != p)
		return;
	w->is_headless = activity_has_headless_argument(p);
	find_session(w, e);
	find_work(w, e, is_listening);
	find_turn(w, e);
}

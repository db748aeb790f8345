/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/work_share.h"

#include <assert.h>
#include <string.h>

#include "analyze/activity/activity.h"
#include "analyze/diagnosis/call_check.h"
#include "analyze/profile/profile_hot.h"
#include "analyze/sockets/socket_sums.h"
#include "base/cleanup.h"
#include "probes/sockets.h"

NUMBER(OWN, 2, NONE, "ready threads of the diagnosed process and of sooth");
NUMBER(MOST, 8, NONE, "limit: two samples of the load are no proof of more");
NUMBER(JOBS_LEAST, 0.5, NONE, "jobs per second");
NUMBER(JOB_CPU_NS, 100000, NS, "CPU time per read or write: less is a loop around these calls");

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

/* --- data moved --- */

static uint64_t bytes_before(const struct socket_index *first, const struct sockets_socket *socket)
{
	const struct sockets_socket *s = socket_index_get(first, socket->inode);

	/* A socket missing in the first sample was opened during the observation. */
	return s && s->bytes_state == SOOTH_STATE_VALUE ? s->sent_bytes + s->received_bytes : 0;
}

static void add_connections(struct progress *p, const struct check *e)
{
	uint64_t interval_ns = check_interval_ns(e, &e->input->sockets), bytes = 0;
	_cleanup_(socket_index_fini) struct socket_index index = { 0 };

	if (!interval_ns)
		return;
	socket_index_init(&index, check_first(e, &e->input->sockets));
	sockets_each (check_last(e, &e->input->sockets), s) {
		bool is_tcp = s->bytes_state == SOOTH_STATE_VALUE;
		uint64_t before = is_tcp ? bytes_before(&index, s) : 0;

		if (is_tcp && s->sent_bytes + s->received_bytes > before)
			bytes += s->sent_bytes + s->received_bytes - before;
	}
	p->has_tcp = true;
	p->bytes_per_s += (double)bytes * (double)NS_PER_S / (double)interval_ns;
}

/* Adds calls. Threads' counters include reads and writes on sockets, so the larger value counts. */
static void add_calls(struct progress *p, const struct check *e)
{
	const struct call_history *h = check_all_calls(e);
	uint64_t interval_ns = e->input->end_ns - e->input->begin_ns, bytes = 0;
	double per_s;

	if (!h || !interval_ns)
		return;
	map_for_each_value (&h->files, const struct call_file *, f) {
		if (f->kind == FD_FOLLOWED_SOCKET)
			bytes += f->moves[CALL_READ].bytes + f->moves[CALL_WRITTEN].bytes;
	}
	per_s = (double)bytes * (double)NS_PER_S / (double)interval_ns;
	p->has_calls = true;
	if (per_s > p->bytes_per_s)
		p->bytes_per_s = per_s;
}

void progress_of(struct progress *p, const struct check *e)
{
	assert(p);
	assert(e);
	*p = (struct progress){ 0 };
	thread_histories_for_each (&e->input->threads, &e->id, t) {
		double bytes = thread_history_moved_bytes(t);

		if (bytes < 0)
			continue;
		p->is_measured = true;
		p->bytes_per_s += bytes;
		p->calls_per_s += thread_history_io_calls(t);
		if (thread_history_ns(t) > p->interval_ns)
			p->interval_ns = thread_history_ns(t);
	}
	add_connections(p, e);
	add_calls(p, e);
}

bool progress_is_worker(const struct thread_history *t)
{
	double cpu_ns = thread_history_cpu(t) / 100 * (double)NS_PER_S;

	return thread_history_reads(t) >= JOBS_LEAST && thread_history_writes(t) >= JOBS_LEAST &&
	       thread_history_io_calls(t) * JOB_CPU_NS <= cpu_ns;
}

void progress_emit(const struct progress *p, struct check_result *out)
{
	assert(p);
	if (!p->is_measured) {
		finding_unseen(out,
			"how much the process reads and writes: only its user and root can see it");
		return;
	}
	finding_rate(out, "data moved", p->bytes_per_s, SOOTH_UNIT_BYTES, p->interval_ns);
	finding_rate(out, "reads and writes", p->calls_per_s, SOOTH_UNIT_NONE, p->interval_ns);
	if (!p->has_tcp && !p->has_calls)
		finding_unseen(
			out, "how much data the process sends and receives on its connections");
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/check_waits.h"

#include <assert.h>
#include <stdio.h>

#include "analyze/threads/thread_roles.h"
#include "analyze/waits/wait_text.h"
#include "base/cleanup.h"

const struct process_entry *check_entry_of(const struct check *e, const struct waits_process *p)
{
	return check_process(e, p->node_pid, p->node_start_ticks);
}

const struct process_entry *check_party_of(const struct check *e, const struct waits_party *p)
{
	return check_process(e, p->party_pid, p->party_start_ticks);
}

const struct fds_descriptor *check_descriptor_in(const struct snapshot *s, uint32_t fd)
{
	snapshot_each (struct fds_descriptor, d, s, FDS_DESCRIPTOR) {
		if (d->fd == fd)
			return d;
	}
	return NULL;
}

const struct fds_descriptor *check_descriptor(const struct check *e, uint32_t fd)
{
	return check_descriptor_in(check_last(e, &e->input->fds), fd);
}

bool check_is_closed_terminal(const struct fds_descriptor *d)
{
	return d && d->type == FDS_PTY && d->is_deleted && d->deleted_state == SOOTH_STATE_VALUE;
}

bool check_is_one_wait(const struct check *e, const struct thread_history *t)
{
	assert(t);
	return t->met >= check_option(e, "min-readings") &&
	       (double)thread_history_ns(t) >= check_option(e, "min-time") &&
	       t->first.cpu_ns == t->last.cpu_ns && !t->switches_state &&
	       t->first.voluntary_switches == t->last.voluntary_switches &&
	       t->first.involuntary_switches == t->last.involuntary_switches;
}

const struct thread_history *check_thread(const struct check *e, uint32_t tid)
{
	assert(e);
	thread_histories_for_each (&e->input->threads, &e->id, t) {
		if (t->tid == tid)
			return t;
	}
	return NULL;
}

const struct waits_signals *check_signals(const struct check *e, const struct snapshot *s)
{
	struct batch all = snapshot_records(s);

	assert(e);
	return find_process_signals(&all, e->id.pid);
}

/* Returns the first or last snapshot with the waits of the process; NULL: none. A list of agents
 * reads the waits of main processes only; theirs have the processes that these wait for. */
static const struct snapshot *waits_of(const struct check *e,
	const struct snapshot *(*get)(const struct check *e, const struct snapshot_pair *pair))
{
	const struct snapshot *own = get(e, &e->input->waits);
	struct check of_main = *e;

	if (own || !e->is_one_look || !e->process || !e->process->main)
		return own;
	of_main.id = e->process->main->id;
	return get(&of_main, &e->input->waits);
}

bool check_graph(const struct check *e, struct wait_graph *g)
{
	assert(e);

	const struct snapshot *first = waits_of(e, check_first), *last = waits_of(e, check_last);

	assert(g);
	*g = wait_graph_of(last, last ? first : NULL);
	return wait_graph_process(g, e->id.pid);
}

bool check_chain(
	const struct check *e, uint32_t tid, struct wait_graph *g, struct wait_chain *chain)
{
	assert(e);
	assert(chain);
	*chain = (struct wait_chain){ 0 };
	if (!check_graph(e, g))
		return false;
	if (tid)
		wait_chain_follow_thread(g, e->id.pid, tid, chain);
	else
		wait_chain_follow(g, e->id.pid, chain);
	return chain->count;
}

bool check_graph_begin(const struct check *e, struct check_result *out, struct wait_graph *g)
{
	assert(e);
	if (waits_of(e, check_first) && check_graph(e, g))
		return true;
	check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
	return false;
}

bool check_chain_begin(const struct check *e, struct check_result *out, struct wait_graph *g,
	struct wait_chain *chain)
{
	assert(chain);
	if (!check_graph_begin(e, out, g))
		return false;
	wait_chain_follow(g, e->id.pid, chain);
	if (!chain->count)
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
	return chain->count;
}

bool check_is_hidden(const struct wait_chain *chain)
{
	assert(chain);

	enum wait_what last = chain->links[chain->count - 1].what;

	return last != WAIT_RUNS && last != WAIT_READY && wait_chain_unknown(chain);
}

bool check_awaits_answer(const struct wait_link *link)
{
	assert(link);
	return link->what == WAIT_SOCKET_READ && link->object && link->object->has_open_request;
}

/* Adds the last link of the chain: the process there waits for no other process. */
static void put_last(struct check_result *out, const struct wait_chain *chain)
{
	const struct wait_link *last = &chain->links[chain->count - 1];
	const struct waits_party *party = last->party;
	_cleanup_(buffer_fini) struct buffer text = { 0 };

	if (chain->circle < chain->count)
		return;
	if (party && party->is_alive && party->party_pid &&
		party->relation != WAITS_RELATION_THREAD)
		wait_put_party(&text, last);
	else if (chain->count > 1 && last->process != chain->links[0].process)
		wait_put_process(&text, last->process);
	if (text.size)
		finding_text(out, "could end the wait", "%s", buffer_cstr(&text));
}

void check_chain_evidence(
	struct check_result *out, const struct wait_graph *g, const struct wait_chain *chain)
{
	_cleanup_(buffer_fini) struct buffer text = { 0 };

	assert(chain);
	if (!chain->count)
		return;
	wait_chain_text(&text, g, chain);
	finding_text(out, "chain of waits", "%s", buffer_cstr(&text));
	put_last(out, chain);
}

uint64_t check_rested_ns(const struct wait_graph *g, uint32_t pid)
{
	const struct waits_thread *t = NULL;
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; (t = wait_graph_thread(g, pid, t)); i++) {
		if (thread_is_service(record_text(&t->record, &t->name), i))
			continue;
		if (t->since_state || t->state == 'R' || t->state == 'D')
			return 0;
		if (t->since_ns < least)
			least = t->since_ns;
	}
	return least == UINT64_MAX ? 0 : least;
}

bool check_is_long(const struct check *e, struct check_result *out, const char *option, uint64_t ns,
	const char *what)
{
	char reason[128];

	if (check_is_stopped(e)) {
		check_fine(out, "the process is stopped");
		return false;
	}
	if (check_is_over(e, option, (double)ns, ""))
		return true;
	snprintf(reason, sizeof(reason), "%s, but not for long yet", what);
	check_blind_by(out, FINDING_SHORT, reason, CHECK_LONGER);
	return false;
}

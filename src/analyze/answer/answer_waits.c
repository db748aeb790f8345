/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/answer/answer_waits.h"

#include <string.h>

#include "analyze/answer/answer_name.h"
#include "analyze/answer/end_awaited.h"
#include "analyze/evidence/children.h"
#include "analyze/evidence/stack_waits.h"
#include "analyze/waits/wait_beside.h"
#include "analyze/waits/wait_goroutines.h"
#include "analyze/waits/wait_lookup.h"
#include "analyze/waits/wait_sentences.h"
#include "analyze/waits/wait_tasks.h"
#include "analyze/waits/wait_text.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "model/errno_names.h"
#include "probes/sockets.h"

#define STANDARD_LAST 2 /* number of the last standard stream */

NUMBER(SILENT_LEAST, 5 * NS_PER_S, NS, "least silence of a connection to report");
NUMBER(SHOWN_LEAST, NS_PER_S, NS, "working processes also wait, but for a shorter time");
NUMBER(REST_LEAST, 5 * NS_PER_S, NS, "a shorter rest is not worth a line");

/* Returns whether the probe had no time left to read this process. */
static bool is_left_out(const struct snapshot *last)
{
	const struct waits_snapshot *end = snapshot_end(last, sizeof(*end));

	return end && !last->records.size && end->processes_state == SOOTH_STATE_TRUNCATED;
}

static uint8_t find_wait_chain(const struct diagnosis *s, const struct diagnosed *j,
	struct wait_graph *g, struct wait_chain *chain)
{
	const struct snapshot_pair *waits = &s->input.waits;
	const struct snapshot *first = snapshots_get(&waits->first, &j->id),
			      *last = snapshots_get(&waits->last, &j->id);

	chain->count = 0;
	if (!diagnosis_input_has_probe(&s->input, "waits"))
		return SOOTH_STATE_ABSENT;
	if (!last || !j->process || !j->process->is_there)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED);
	if (is_left_out(last))
		return SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
	*g = wait_graph_of(last, first);
	wait_chain_follow(g, j->id.pid, chain);
	return chain->count ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED);
}

uint8_t answer_waits(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out)
{
	struct wait_chain chain;
	struct wait_graph g;
	uint8_t state = find_wait_chain(s, j, &g, &chain);

	if (!state) {
		wait_chain_text(out, &g, &chain);
		wait_put_beside(out, &g, &chain);
	}
	return state;
}

/* Kinds of ends by the last wait of a chain; an idle process has no such end. */
static const uint8_t root_kinds[WAIT_WHATS] = { [WAIT_FILE_SYSTEM] = ROOT_MOUNT,
	[WAIT_TERMINAL_READ] = ROOT_USER,
	[WAIT_SLEEP] = ROOT_TIMER,
	[WAIT_TIMER] = ROOT_TIMER,
	[WAIT_RUNS] = ROOT_RUNNING,
	[WAIT_READY] = ROOT_RUNNING,
	[WAIT_FIFO_OPEN] = ROOT_MISSING_END,
	[WAIT_HANDLER] = ROOT_MISSING_END,
	[WAIT_SOCKET_READ] = ROOT_PEER,
	[WAIT_SOCKET_WRITE] = ROOT_PEER,
	[WAIT_CONNECT] = ROOT_PEER,
	[WAIT_LOCK] = ROOT_HOLDER,
	[WAIT_LOCK_FILE] = ROOT_HOLDER,
	[WAIT_MUTEX] = ROOT_HOLDER,
	[WAIT_DATABASE_LOCK] = ROOT_HOLDER,
	[WAIT_PIPE_READ] = ROOT_HOLDER,
	[WAIT_PIPE_WRITE] = ROOT_HOLDER,
	[WAIT_TERMINAL_WRITE] = ROOT_HOLDER };

static enum answer_root kind_of(const struct wait_graph *g, const struct wait_chain *chain)
{
	const struct wait_link *last = &chain->links[chain->count - 1];

	for (size_t i = 0; i < chain->count; i++) {
		if (wait_is_left_mutex(&chain->links[i]) || wait_is_abandoned(g, &chain->links[i]))
			return ROOT_DEAD_OWNER;
	}
	if (chain->is_deadlock)
		return ROOT_CIRCLE;
	if (stopped_process_text(last))
		return ROOT_STOPPED;
	if (root_kinds[last->what] && !last->is_idle)
		return root_kinds[last->what];
	/* A process at rest that another one waits for. */
	return chain->count > 1 ? root_kinds[last[-1].what] : ROOT_NONE;
}

uint8_t answer_wait_find(
	const struct diagnosis *s, const struct diagnosed *j, struct answer_wait *out)
{
	const struct waits_thread *t;
	struct wait_chain chain;
	struct wait_graph g;
	uint8_t state = j->is_host ? SOOTH_STATE_ABSENT : find_wait_chain(s, j, &g, &chain);

	*out = (struct answer_wait){ 0 };
	if (state)
		return state;
	t = chain.links[0].thread;
	wait_chain_root(&chain, &out->root);
	for (size_t i = 1; i < chain.count; i++) {
		if (chain.links[i].process->node_pid != j->id.pid)
			out->through[out->through_count++] = chain.links[i].process->node_pid;
	}
	if (t && !t->since_state && !chain.links[0].is_polling && !chain.links[0].is_idle)
		out->since_ns = t->since_ns;
	out->confidence = wait_chain_confidence(&chain);
	out->kind = kind_of(&g, &chain);
	return state;
}

/* Returns whether nothing goes on. A limiter of CPU time stops a process for a moment, again and
 * again. */
static bool is_halted(const struct wait_chain *chain)
{
	const struct waits_thread *t = chain->links[chain->count - 1].thread;
	const char *state = wait_chain_state(chain);

	return !strcmp(state, "deadlock") ||
	       (!strcmp(state, "stopped") && (!t || t->since_state || t->since_ns >= SHOWN_LEAST));
}

/* silence of the connection that the process waits for */
struct silence {
	uint64_t ns;		/* time since data last moved; 0: unknown */
	bool is_never_answered; /* data was sent since it was opened, and none received */
};

static struct silence silence_of(
	const struct diagnosis *s, const struct diagnosed *j, const struct wait_chain *chain)
{
	const struct wait_link *first = &chain->links[0];
	const struct snapshot *last = snapshots_get(&s->input.sockets.last, &j->id);
	struct batch all = last ? snapshot_records(last) : (struct batch){ 0 };

	if (!first->object || (first->what != WAIT_SOCKET_READ && first->what != WAIT_SOCKET_WRITE))
		return (struct silence){ 0 };
	batch_for_each (r, &all) {
		const struct sockets_socket *o = record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);

		/* Absent: no data was moved, and the time is that of the connection. */
		if (o && o->inode == first->object->inode &&
			o->received_state <= SOOTH_STATE_ABSENT &&
			o->sent_state <= SOOTH_STATE_ABSENT)
			return (struct silence){
				.ns = o->sent_ago_ns < o->received_ago_ns ? o->sent_ago_ns
									  : o->received_ago_ns,
				.is_never_answered = o->received_state == SOOTH_STATE_ABSENT &&
						     o->sent_state == SOOTH_STATE_VALUE,
			};
	}
	return (struct silence){ 0 };
}

/* Returns whether a lock file is no cause of the wait: the process does not look at the file. */
static bool is_unrelated_lock_file(
	const struct diagnosis *s, const struct diagnosed *j, const struct wait_link *first)
{
	const struct call_history *h = call_histories_get(&s->input.calls, &j->id);
	_cleanup_(buffer_fini) struct buffer path = { 0 };
	struct span detail;
	bool is_wanted;

	if (first->what != WAIT_LOCK_FILE || !s->input.calls.is_on)
		return false;
	detail = record_text(&first->party->record, &first->party->detail);
	buffer_append(&path, detail.data, detail.size);
	is_wanted = h && call_history_found(h, buffer_cstr(&path));
	map_for_each_key (
		map_while(h && !is_wanted, &h->failures), const struct call_place *, place) {
		is_wanted = place->error == LINUX_EEXIST &&
			    !span_compare(path_base(span_of_string(place->text)),
				    path_base(span_of(buffer_cstr(&path), path.size)));
	}
	return !is_wanted;
}

static bool is_stuck(const struct wait_chain *chain, uint64_t silence_ns)
{
	const struct wait_link *first = &chain->links[0];

	if (strcmp(wait_chain_state(chain), "waits") != 0)
		return is_halted(chain);
	return first->is_polling || silence_ns >= SILENT_LEAST || !first->thread ||
	       first->thread->since_state || first->thread->since_ns >= SHOWN_LEAST;
}

unsigned answer_waits_left_out(const struct diagnosis *s)
{
	unsigned count = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct snapshot *last = snapshots_get(&s->input.waits.last, &s->all[i].id);

		count += last && is_left_out(last);
	}
	return count;
}

/* Returns whether the process has ended, so that the wait in its last snapshot is over. */
static bool has_ended(const struct diagnosis *s, const struct diagnosed *j)
{
	const struct ending *end = endings_get(&s->input.endings, &j->id);

	return end && end->has_end;
}

/* Appends the place in the script where the thread of the chain's first link waits. */
static void put_place(const struct diagnosis *s, const struct diagnosed *j,
	const struct wait_chain *chain, struct buffer *out)
{
	const struct wait_link *first = &chain->links[0];
	_cleanup_(buffer_fini) struct buffer place = { 0 };

	if (first->thread && first->process->node_pid == j->id.pid &&
		stack_wait_put_own(&place, &s->input, j->process, first->thread->record.tid))
		buffer_format(out, "; %u is in %s", j->id.pid, buffer_cstr(&place));
}

/* --- at rest --- */

static bool is_long_rest(const struct waits_thread *t)
{
	return t && !t->since_state && t->since_ns >= REST_LEAST;
}

/* Appends the condition that the main thread waits on without a time limit: another thread of the
 * process has to signal it, whereas idle servers wait in a call for clients. */
static bool put_condition(const struct diagnosis *s, const struct diagnosed *j,
	const struct wait_graph *g, struct buffer *out)
{
	const struct waits_thread *t = wait_graph_thread_of(g, j->id.pid, j->id.pid);
	char length[WAIT_DURATION_SIZE];
	struct stack_wait w;

	if (!is_long_rest(t) || t->timeout_state != SOOTH_STATE_ABSENT)
		return false;
	w = stack_wait_of(&s->input, &j->id, t->record.tid);
	if (!w.is_condition || !w.caller.size)
		return false;
	buffer_format(out, "; its main thread waits on a condition in %.*s (%.*s), %s",
		SPAN_ARGS(w.caller), SPAN_ARGS(w.caller_file), wait_duration(length, t->since_ns));
	return true;
}

static bool is_join(const struct stack_wait *w)
{
	return w->by.size && span_ends(w->by, "join");
}

/* Appends the first other thread that has waited for long in the script: ", a thread in consume
 * (jobs.py:14), in Queue.get". */
static void put_joined(const struct diagnosis *s, const struct diagnosed *j,
	const struct wait_graph *g, struct buffer *out)
{
	const struct waits_thread *t = NULL;
	_cleanup_(buffer_fini) struct buffer place = { 0 };
	char length[WAIT_DURATION_SIZE];

	while (!place.size && (t = wait_graph_thread(g, j->id.pid, t))) {
		struct stack_wait w;

		if (t->record.tid == j->id.pid || !is_long_rest(t) ||
			t->timeout_state != SOOTH_STATE_ABSENT ||
			!stack_wait_put_own(&place, &s->input, j->process, t->record.tid))
			continue;
		w = stack_wait_of(&s->input, &j->id, t->record.tid);
		buffer_format(out, ", and another one in %s for %s", buffer_cstr(&place),
			wait_duration(length, t->since_ns));
		if (w.by.size)
			buffer_format(out, ", in %.*s", SPAN_ARGS(w.by));
	}
}

/* Appends where a script has waited for long: "; its main thread has been in consume (jobs.py:14)
 * for 12 s, in Queue.get". */
static bool put_main_place(const struct diagnosis *s, const struct diagnosed *j,
	const struct wait_graph *g, struct buffer *out)
{
	const struct waits_thread *t = wait_graph_thread_of(g, j->id.pid, j->id.pid);
	_cleanup_(buffer_fini) struct buffer place = { 0 };
	char length[WAIT_DURATION_SIZE];
	struct stack_wait w;
	bool is_there;

	if (!is_long_rest(t))
		return false;
	is_there = stack_wait_put_own(&place, &s->input, j->process, t->record.tid);
	w = stack_wait_of(&s->input, &j->id, t->record.tid);
	if (is_there) {
		buffer_format(out, "; its main thread has been in %s for %s", buffer_cstr(&place),
			wait_duration(length, t->since_ns));
		if (w.is_queue || is_join(&w))
			buffer_format(out, ", in %.*s", SPAN_ARGS(w.by));
	} else if (is_join(&w)) {
		buffer_format(out, "; its main thread has been in %.*s for %s", SPAN_ARGS(w.by),
			wait_duration(length, t->since_ns));
	}
	if (is_join(&w))
		put_joined(s, j, g, out);
	return is_there || is_join(&w);
}

/* Appends "; it waits for connections on 127.0.0.1:80, idle 9 s", or the place where its main
 * thread waits on a condition; nothing for a busy process. */
static void put_rest(const struct diagnosis *s, const struct diagnosed *j,
	const struct wait_graph *g, const struct wait_chain *chain, struct buffer *out)
{
	const struct wait_link *first = &chain->links[0];

	if (put_condition(s, j, g, out) || put_main_place(s, j, g, out))
		return;
	if (!strcmp(wait_chain_state(chain), "idle") && is_long_rest(first->thread) &&
		!first->is_polling && !first->is_active) {
		buffer_string(out, "; it ");
		wait_link_text(out, g, first);
		wait_put_beside(out, g, chain);
	}
	wait_put_main_goroutine(out, g, j->id.pid);
	wait_put_tasks(out, g, j->id.pid);
}

/* Returns whether two processes wait for each other on sockets, as between request and answer. */
static bool is_exchange(const struct wait_chain *chain)
{
	return chain->is_exchange || (chain->count == 2 && !chain->circle && chain->is_of_readers &&
					     wait_chain_confidence(chain) == WAITS_LOW);
}

/* Appends that a process and its child have waited for some time to read from each other, and
 * neither writes. Returns false if that is not so. */
static bool put_exchange(const struct wait_chain *chain, struct buffer *out)
{
	const struct wait_link *first = &chain->links[0], *second = &chain->links[1];
	char length[WAIT_DURATION_SIZE];

	if (!is_exchange(chain) || second->process->ppid != first->process->node_pid ||
		!is_long_rest(first->thread) || !second->thread || second->thread->since_state)
		return false;
	wait_put_process(out, first->process);
	buffer_string(out, " waits for its child ");
	wait_put_process(out, second->process);
	buffer_format(out,
		", %s, and that one for input from it: a question that it asks, perhaps, or a "
		"server at rest",
		wait_duration(length, first->thread->since_ns));
	return true;
}

/* --- the sentences --- */

static bool is_known_activity(const struct diagnosis *s, const struct diagnosed *j)
{
	_cleanup_(buffer_fini) struct buffer activity = { 0 };

	answer_activity(s, j, &activity);
	return activity.size;
}

bool answer_stuck(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out)
{
	struct wait_chain chain;
	struct wait_graph g;
	char length[WAIT_DURATION_SIZE];
	struct silence silence;

	if (j->is_host || is_known_activity(s, j) || has_ended(s, j) ||
		find_wait_chain(s, j, &g, &chain))
		return false;
	if (put_exchange(&chain, out) || end_awaited_put(s, j, &chain, out))
		return true;
	silence = silence_of(s, j, &chain);
	if (is_unrelated_lock_file(s, j, &chain.links[0]) || !is_stuck(&chain, silence.ns))
		return false;
	wait_chain_text(out, &g, &chain);
	if (silence.ns >= SILENT_LEAST)
		buffer_format(out, "; %s for %s",
			silence.is_never_answered ? "it sent data, and no byte has come back"
						  : "no data",
			wait_duration(length, silence.ns));
	put_place(s, j, &chain, out);
	wait_put_beside(out, &g, &chain);
	return true;
}

bool answer_waits_for(const struct diagnosis *s, const struct diagnosed *j, uint32_t pid)
{
	struct wait_chain chain;
	struct wait_graph g;

	const struct waits_thread *t;

	if (j->is_host || has_ended(s, j) || find_wait_chain(s, j, &g, &chain))
		return false;
	t = chain.links[0].thread;
	if (!chain.links[0].is_polling && (!t || t->since_state || t->since_ns < SHOWN_LEAST))
		return false;
	for (size_t i = 0; i < chain.count; i++) {
		if (chain.links[i].party && chain.links[i].party->is_alive &&
			chain.links[i].party->party_pid == pid)
			return true;
	}
	return false;
}

void answer_rest(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out)
{
	struct wait_chain chain;
	struct wait_graph g;

	/* An agent's session does not wait for the sockets of its event loop. */
	if (!j->count && !is_known_activity(s, j) && !has_ended(s, j) &&
		!find_wait_chain(s, j, &g, &chain))
		put_rest(s, j, &g, &chain, out);
}

void answer_way_out(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out)
{
	struct wait_chain chain;
	struct wait_graph g;
	size_t before = out->size;

	if (answer_tool_advice(s, j, out) || find_wait_chain(s, j, &g, &chain))
		return;
	if (!chain.links[chain.count - 1].is_inside)
		end_awaited_remedy(s, j, &chain, out);
	if (out->size == before && !wait_chain_unknown(&chain))
		wait_chain_remedy(out, &chain);
}

/* Returns whether the link waits for work: on a socket, or on a pipe beside the standard streams. A
 * standard input may be one that is not closed by mistake. */
static bool is_for_work(const struct wait_link *link)
{
	return link->party && link->object &&
	       ((link->what == WAIT_SOCKET_READ && !link->object->has_open_request) ||
		       (link->what == WAIT_PIPE_READ && link->object->fd > STANDARD_LAST));
}

/* Returns whether the process waits for work of a diagnosed ancestor. */
static bool serves_above(
	const struct diagnosis *s, const struct diagnosed *j, const struct wait_link *first)
{
	if (!is_for_work(first))
		return false;
	for (size_t i = 0; i < s->count; i++) {
		const struct diagnosed *other = &s->all[i];

		if (!other->is_host && other->process && other->id.pid == first->party->party_pid)
			return process_table_is_below(j->process, other->process);
	}
	return false;
}

/* Returns whether the process waits for the lock of a queue, without a known owner, and one of its
 * siblings with the same command waits for the work that comes through the queue: it has the lock.
 */
static bool waits_for_turn(
	const struct diagnosis *s, const struct diagnosed *j, const struct wait_link *first)
{
	struct wait_chain chain;
	struct wait_graph g;

	if (!wait_is_shared(first) || first->party || !j->process)
		return false;
	for (size_t i = 0; i < s->count; i++) {
		const struct diagnosed *other = &s->all[i];

		if (other == j || other->is_host || !other->process ||
			other->process->parent != j->process->parent ||
			!child_is_alike(other->process, j->process) ||
			find_wait_chain(s, other, &g, &chain))
			continue;
		if (serves_above(s, other, &chain.links[0]))
			return true;
	}
	return false;
}

bool answer_rests_below(const struct diagnosis *s, const struct diagnosed *j)
{
	const struct diagnosed *above = answer_above(s, j);
	const struct wait_link *last;
	struct wait_chain chain;
	struct wait_graph g;

	if (j->is_host || find_wait_chain(s, j, &g, &chain))
		return false;
	last = &chain.links[chain.count - 1];
	return serves_above(s, j, &chain.links[0]) || waits_for_turn(s, j, &chain.links[0]) ||
	       (last->what == WAIT_SLEEP && last->thread && !last->thread->timeout_state && above &&
		       last->process->node_pid != above->id.pid);
}

bool answer_halted(const struct diagnosis *s, const struct diagnosed *j)
{
	struct wait_chain chain;
	struct wait_graph g;

	return !find_wait_chain(s, j, &g, &chain) && is_halted(&chain);
}

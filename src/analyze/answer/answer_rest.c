/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/answer/answer_rest.h"

#include <string.h>

#include "analyze/evidence/stack_waits.h"
#include "analyze/waits/wait_beside.h"
#include "analyze/waits/wait_goroutines.h"
#include "analyze/waits/wait_tasks.h"
#include "analyze/waits/wait_sentences.h"
#include "analyze/waits/wait_text.h"
#include "base/cleanup.h"
#include "base/units.h"

NUMBER(LEAST, 5 * NS_PER_S, NS, "a shorter rest is not worth a line");

static bool is_long(const struct waits_thread *t)
{
	return t && !t->since_state && t->since_ns >= LEAST;
}

/* --- a condition --- */

/* Appends the condition that the main thread waits on without a time limit: another thread of the
 * process has to signal it, whereas idle servers wait in a call for clients. */
static bool put_condition(const struct diagnosis *s, const struct diagnosed *j,
	const struct wait_graph *g, struct buffer *out)
{
	const struct waits_thread *t = wait_graph_thread_of(g, j->id.pid, j->id.pid);
	char length[WAIT_DURATION_SIZE];
	struct stack_wait w;

	if (!is_long(t) || t->timeout_state != SOOTH_STATE_ABSENT)
		return false;
	w = stack_wait_of(&s->input, &j->id, t->record.tid);
	if (!w.is_condition || !w.caller.size)
		return false;
	buffer_format(out, "; its main thread waits on a condition in %.*s (%.*s), %s",
		(int)w.caller.size, w.caller.data, (int)w.caller_file.size, w.caller_file.data,
		wait_duration(length, t->since_ns));
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

		if (t->record.tid == j->id.pid || !is_long(t) ||
			t->timeout_state != SOOTH_STATE_ABSENT ||
			!stack_wait_put_own(&place, &s->input, j->process, t->record.tid))
			continue;
		w = stack_wait_of(&s->input, &j->id, t->record.tid);
		buffer_format(out, ", and another one in %s for %s", buffer_cstr(&place),
			wait_duration(length, t->since_ns));
		if (w.by.size)
			buffer_format(out, ", in %.*s", (int)w.by.size, w.by.data);
	}
}

/* Appends where a script has waited for long: "; its main thread has been in consume (jobs.py:14)
 * for 12 s, in Queue.get". */
static bool put_place(const struct diagnosis *s, const struct diagnosed *j,
	const struct wait_graph *g, struct buffer *out)
{
	const struct waits_thread *t = wait_graph_thread_of(g, j->id.pid, j->id.pid);
	_cleanup_(buffer_fini) struct buffer place = { 0 };
	char length[WAIT_DURATION_SIZE];
	struct stack_wait w;
	bool is_there;

	if (!is_long(t))
		return false;
	is_there = stack_wait_put_own(&place, &s->input, j->process, t->record.tid);
	w = stack_wait_of(&s->input, &j->id, t->record.tid);
	if (is_there) {
		buffer_format(out, "; its main thread has been in %s for %s", buffer_cstr(&place),
			wait_duration(length, t->since_ns));
		if (w.is_queue || is_join(&w))
			buffer_format(out, ", in %.*s", (int)w.by.size, w.by.data);
	} else if (is_join(&w)) {
		buffer_format(out, "; its main thread has been in %.*s for %s", (int)w.by.size,
			w.by.data, wait_duration(length, t->since_ns));
	}
	if (is_join(&w))
		put_joined(s, j, g, out);
	return is_there || is_join(&w);
}

void answer_put_rest(const struct diagnosis *s, const struct diagnosed *j,
	const struct wait_graph *g, const struct wait_chain *chain, struct buffer *out)
{
	const struct wait_link *first = &chain->links[0];

	if (put_condition(s, j, g, out) || put_place(s, j, g, out))
		return;
	if (!strcmp(wait_chain_state(chain), "idle") && is_long(first->thread) &&
		!first->is_polling && !first->is_active) {
		buffer_string(out, "; it ");
		wait_link_text(out, g, first);
		wait_put_beside(out, g, chain);
	}
	wait_put_main_goroutine(out, g, j->id.pid);
	wait_put_tasks(out, g, j->id.pid);
}

/* --- a child --- */

/* Returns whether two processes wait for each other on sockets, as between request and answer. */
static bool is_exchange(const struct wait_chain *chain)
{
	return chain->is_exchange || (chain->count == 2 && !chain->circle && chain->is_of_readers &&
					     wait_chain_confidence(chain) == WAITS_LOW);
}

bool answer_put_exchange(const struct wait_chain *chain, struct buffer *out)
{
	const struct wait_link *first = &chain->links[0], *second = &chain->links[1];
	char length[WAIT_DURATION_SIZE];

	if (!is_exchange(chain) || second->process->ppid != first->process->node_pid ||
		!is_long(first->thread) || !second->thread || second->thread->since_state)
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

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/answer/end_awaited.h"

#include "analyze/calls/call_history.h"
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/starts.h"
#include "analyze/process_table/process_table.h"
#include "analyze/waits/wait_sentences.h"
#include "base/units.h"

NUMBER(SEEN_LEAST, 3, NONE, "checks of one process: fewer are no wait for its end");
NUMBER(PAUSE_MOST, 6 * NS_PER_S, NS, "longest time between two checks of the process");
NUMBER(BUSY_PERCENT, 5, PERCENT, "of a CPU");

/* Returns whether the process of a link pauses: it sleeps or has ended, or uses almost no CPU, as a
 * command does that has just started or is about to end. */
static bool is_pause(const struct wait_link *l)
{
	switch (l->what) {
	case WAIT_SLEEP:
	case WAIT_ZOMBIE:
		return true;
	case WAIT_RUNS:
	case WAIT_READY:
	case WAIT_IO:
	case WAIT_UNKNOWN:
		return l->cpu_percent < BUSY_PERCENT;
	default:
		return false;
	}
}

/* Returns whether the process itself pauses, or waits for a command that pauses or has ended. A
 * chain without a link for the command means that the command has ended since. */
static bool is_pausing(const struct wait_chain *chain)
{
	const struct wait_link *first = &chain->links[0];

	if (first->what == WAIT_CHILD)
		return chain->count == 1 || (chain->count == 2 && is_pause(&chain->links[1]));
	return is_pause(first);
}

static const struct call_repeat *questions_of(
	const struct diagnosis *s, const struct diagnosed *j, uint32_t *pid)
{
	const struct call_history *h = call_histories_get(&s->input.calls, &j->id);

	if (!h)
		return NULL;
	call_repeats_each (h, key, r) {
		if (r->is_of_process && !key->result && key->fd > 0 && r->seen >= SEEN_LEAST &&
			r->last_ns + PAUSE_MOST >= s->input.end_ns) {
			*pid = (uint32_t)key->fd;
			return r;
		}
	}
	return NULL;
}

struct awaited_end {
	const struct process_entry *process; /* the process whose end is awaited; NULL: none */
	const struct call_repeat *questions;
};

static struct awaited_end find_awaited_end(
	const struct diagnosis *s, const struct diagnosed *j, const struct wait_chain *chain)
{
	struct awaited_end a = { 0 };
	uint32_t pid = 0;

	a.questions = is_pausing(chain) ? questions_of(s, j, &pid) : NULL;
	a.process = a.questions ? process_table_find(&s->input.host.process_table, pid) : NULL;
	/* A server that watches its client, or a program that watches its starter, ends together
	 * with that process. */
	if (a.process && process_table_is_below(j->process, a.process))
		a.process = NULL;
	return a;
}

/* Returns whether it is a zombie, for which kill -0 still succeeds. */
static bool is_zombie(const struct process_entry *p)
{
	return p->process->state == 'Z';
}

static bool is_ignoring(const struct process_entry *p)
{
	return p->process->term == PROC_TERM_IGNORED;
}

const struct process_entry *end_awaited_of_trap(const struct process_entry *p, uint64_t since_ns)
{
	const struct process_entry *child = p->first_child;

	if (p->process->term != PROC_TERM_HANDLED || !starts_are_of_a_shell(p) || !child ||
		child->next_sibling || child->zombie_ns || child->first_ns > since_ns)
		return NULL;
	return child;
}

bool end_awaited_put_state(struct buffer *out, const struct process_entry *p, uint64_t since_ns)
{
	static const char trap[] = "runs on: a shell runs its trap for SIGTERM only when the "
				   "command in its foreground has ended, and it has one child, ";
	const struct process_entry *child = end_awaited_of_trap(p, since_ns);
	char state = p->process->state;
	const char *reason = is_zombie(p)     ? "has ended, but its parent does not reap it"
			     : state == 'D'   ? "is in a system call that signals do not interrupt"
			     : state == 'T'   ? "is stopped"
			     : is_ignoring(p) ? "runs on: it ignores SIGTERM"
			     : child	      ? trap
					      : NULL;

	buffer_string(out, reason ? reason
			   : p->process->term == PROC_TERM_HANDLED
				   ? "runs on (it handles SIGTERM itself)"
				   : "runs on");
	if (reason == trap)
		check_put_name(out, child);
	return reason != NULL;
}

bool end_awaited_put(const struct diagnosis *s, const struct diagnosed *j,
	const struct wait_chain *chain, struct buffer *out)
{
	struct awaited_end a = find_awaited_end(s, j, chain);
	const struct call_repeat *r = a.questions;
	struct span name;

	if (!a.process)
		return false;
	name = record_text(&a.process->process->record, &a.process->process->name);
	wait_put_process(out, chain->links[0].process);
	buffer_format(out, " waits for the end of %.*s (%u)", SPAN_ARGS(name), a.process->id.pid);
	if (r->last_ns > r->first_ns) {
		buffer_format(out, ": it asks %.1f times a second, and that one ",
			(double)(r->seen - 1) * (double)NS_PER_S /
				(double)(r->last_ns - r->first_ns));
		end_awaited_put_state(out, a.process, r->first_ns);
	}
	return true;
}

void end_awaited_remedy(const struct diagnosis *s, const struct diagnosed *j,
	const struct wait_chain *chain, struct buffer *out)
{
	struct awaited_end a = find_awaited_end(s, j, chain);

	if (a.process && is_zombie(a.process))
		buffer_format(out,
			"process %u has to reap it (wait), or to end: until then the question is "
			"answered as for one that runs",
			a.process->process->ppid);
	else if (a.process && is_ignoring(a.process))
		buffer_format(out, "sooth kill --any -9 %u ends it: it ignores SIGTERM",
			a.process->id.pid);
	else if (a.process)
		buffer_format(out,
			"sooth inspect --signals %u shows whether it ignores or blocks SIGTERM; "
			"sooth "
			"kill --any -9 %u ends it",
			a.process->id.pid, a.process->id.pid);
}

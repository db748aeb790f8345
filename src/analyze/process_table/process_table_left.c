/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a leftover of an ended session was left on purpose. A process that should stay cuts
 * its links: it has its own process session without a terminal (setsid, daemon(3)) or ignores
 * SIGHUP (nohup), and its standard streams go to files or nowhere. Tool calls of agents have their
 * own process session too, so that alone proves nothing: their streams lead back to the agent
 * through pipes and sockets, or into the file that receives a tool call's output.
 *
 * A shell in a multiplexer or an editor that the session started is no leftover either: it reads
 * from a live terminal.
 *
 * Undecided: streams lead away, and the leader of the process session has ended. A daemon that
 * forked twice looks like this, and so does a finished shell job. A daemon has "/" as its
 * directory; otherwise it stays undecided.
 */
#include "analyze/process_table/process_table_resolving.h"

#include "agents/script.h"

enum answer { NO, YES, UNDECIDED };

/* --- streams --- */

static bool is_tool_output(const struct agent *agent, struct span path)
{
	return agent && agent->tool_outputs && path_below(path, agent->tool_outputs).size;
}

static bool is_null(const struct proc_ties *t, int i)
{
	return process_table_state_is_value(t->stream_state[i]) && t->stream[i] == PROC_STREAM_NULL;
}

static enum answer leads_away(const struct process_entry *p)
{
	const struct proc_ties *t = p->links;
	/* Some daemons keep standard error for late errors. */
	int count = t && is_null(t, 0) && is_null(t, 1) ? 2 : 3;

	for (int i = 0; t && i < count; i++) {
		if (!process_table_state_is_value(t->stream_state[i]))
			continue;
		if (t->stream[i] == PROC_STREAM_TERMINAL || t->stream[i] == PROC_STREAM_PIPE ||
			t->stream[i] == PROC_STREAM_SOCKET)
			return NO;
		if (is_tool_output(
			    p->owner_agent, process_table_field(&t->record, &t->stream_path[i])))
			return NO;
	}
	for (int i = 0; t && i < count; i++) {
		if (!process_table_state_is_value(t->stream_state[i]))
			return UNDECIDED;
	}
	return t ? YES : UNDECIDED;
}

/* --- one process --- */

static bool is_hangup_ignored(const struct process_entry *p)
{
	return p->links && process_table_state_is_value(p->links->hangup_state) &&
	       p->links->is_hangup_ignored;
}

static bool is_at_root(const struct process_entry *p)
{
	return process_table_state_is_value(p->process->directory_state) &&
	       span_equal(process_table_field(&p->process->record, &p->process->directory), "/");
}

static bool is_leader(const struct process_entry *p)
{
	return p->process->session == p->id.pid;
}

static const struct process_entry *leader_of(
	const struct resolving *s, const struct process_entry *p)
{
	const struct process_entry *leader = process_table_by_pid(s, p->process->session);

	return leader && leader != p && process_table_is_older(leader, p) ? leader : NULL;
}

/* A user may type there: the kernel detaches a terminal whose other side is closed. */
static bool is_on_terminal(const struct process_entry *p)
{
	return p->process->terminal != PROC_NO_TERMINAL && p->links &&
	       process_table_state_is_value(p->links->stream_state[0]) &&
	       p->links->stream[0] == PROC_STREAM_TERMINAL;
}

static enum answer is_cut_loose(const struct resolving *s, const struct process_entry *p)
{
	enum answer away = leads_away(p);

	if (is_on_terminal(p))
		return YES;
	if (away == NO)
		return NO;
	if (is_hangup_ignored(p) || (p->process->terminal == PROC_NO_TERMINAL && is_leader(p)))
		return away;
	if (p->process->terminal != PROC_NO_TERMINAL || leader_of(s, p))
		return NO;
	return is_at_root(p) ? away : UNDECIDED;
}

/* --- reasons --- */

static struct span output_path(const struct process_entry *p)
{
	for (int i = 1; i < 3; i++) {
		if (p->links->stream[i] == PROC_STREAM_FILE)
			return process_table_field(&p->links->record, &p->links->stream_path[i]);
	}
	return span_of("", 0);
}

static struct sooth_text words_of(struct resolving *s, const struct process_entry *p)
{
	const char *how = is_hangup_ignored(p) ? "the process ignores SIGHUP"
					       : "the process has its own process session";
	struct span path = output_path(p);

	if (is_on_terminal(p))
		return process_table_say(
			s->process_table, "the process reads from a live terminal");
	if (path.size)
		return process_table_say(
			s->process_table, "%s, output to %.*s", how, (int)path.size, path.data);
	return process_table_say(s->process_table, "%s, no output", how);
}

/* --- all --- */

static void resolve(struct resolving *s, struct process_entry *p)
{
	const struct process_entry *leader = leader_of(s, p);
	enum answer loose = is_cut_loose(s, p);

	/* A process started by one that left, or in its process session, left with it. */
	if (loose != YES && p->parent && p->parent->left && p->linked != p) {
		p->left = p->parent->left;
		p->left_reason = p->parent->left_reason;
	} else if (loose != YES && leader && leader->left == leader) {
		p->left = leader->left;
		p->left_reason = leader->left_reason;
	} else if (loose == YES) {
		p->left = p;
		p->left_reason = words_of(s, p);
	}
	p->left_state = p->left || loose == NO ? SOOTH_STATE_VALUE
					       : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
}

/*
 * Its session has ended or may have, or it no longer descends from its live main process. A
 * launcher never did: it is above its main process and works for it.
 */
static bool may_have_left(const struct process_entry *p)
{
	return p->is_main_gone || p->doubt.size ||
	       (p->main && p->link != PROCESS_LINK_LAUNCHED && !process_table_is_below(p, p->main));
}

void process_table_resolve_left(struct resolving *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (may_have_left(s->order[i]) && is_leader(s->order[i]))
			resolve(s, s->order[i]);
	}
	for (size_t i = 0; i < s->count; i++) {
		if (may_have_left(s->order[i]) && !is_leader(s->order[i]))
			resolve(s, s->order[i]);
	}
}

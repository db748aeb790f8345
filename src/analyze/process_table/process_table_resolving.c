/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of resolving, in their order; see process_table_resolving.h. */
#include "analyze/process_table/process_table_resolving.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "recognize/script.h"
#include "analyze/process_table/process_table_owner.h"
#include "base/cursor.h"

/* --- owners: the session of each process --- */

/* Finds the session of each process. The tree gives it for processes that were not reparented. For
 * the others, the environment still names the session, and the main process may have the other end
 * of their input. The new parent is no evidence: init, the user's systemd, a container's init and
 * other subreapers look alike. A session is gone only if the samples prove that; otherwise it is
 * undecided, with the reason. */

/* --- owners: inherit from the parent --- */

static void set_owner(struct process_entry *p, const struct owner *owner)
{
	p->owner_agent = owner->agent;
	p->main = owner->main;
	p->link = owner->link;
	p->is_main_gone = owner->is_gone;
	p->doubt = owner->doubt;
	p->gone = owner->gone;
	p->session_id = owner->session_id;
	p->linked = p;
}

static void copy_from_parent(struct process_entry *p)
{
	const struct process_entry *parent = p->parent;

	p->owner_agent = parent->owner_agent;
	p->main = parent->main;
	p->link = parent->link;
	p->linked = parent->linked;
	/* these fields of a main process are about itself as a leftover */
	if (parent->main != parent) {
		p->is_main_gone = parent->is_main_gone;
		p->doubt = parent->doubt;
		p->gone = parent->gone;
		p->session_id = parent->session_id;
	}
	if (p->main && (process_table_is_head(parent) || p->link == PROCESS_LINK_SELF))
		p->link = PROCESS_LINK_ANCESTOR;
	if (p->link == PROCESS_LINK_ANCESTOR)
		p->linked = p->main;
}

/* Returns whether the parent adopted the process: it cannot have given it these markers, because it
 * lacks the agent's marker and is none of its programs. Such a parent is a subreaper below another
 * agent, or below another session of the same agent. */
static bool is_adopted(const struct process_entry *parent, const struct agent *agent,
	const struct agent_markers *of, const struct markers *parents)
{
	struct agent_markers theirs;

	if (!parents->is_reported || parent->agent == agent || (!of->pid.size && !of->sessions))
		return false;
	theirs = markers_of_agent(parents, agent);
	if (of->pid.size && span_compare(of->pid, theirs.pid))
		return true;
	return of->sessions &&
	       (!theirs.sessions || span_compare(of->session[0], theirs.session[0]));
}

static bool is_foster_child(const struct resolving *s, const struct process_entry *parent,
	const struct markers *markers)
{
	struct markers parents;
	const struct agent *agent;
	size_t position = 0;

	if (!parent || !markers->count)
		return false;
	markers_read(&parents, parent->links);
	while ((agent = process_table_agent_next(s->process_table, &position))) {
		const struct agent_markers of = markers_of_agent(markers, agent);

		if (of.is_any && is_adopted(parent, agent, &of, &parents))
			return true;
	}
	return false;
}

/* --- owners: main processes --- */

/* Finds the agent session that started a main process. Markers count only if they name a session: a
 * program that embeds an agent sets the other markers too. */
static void find_above(struct resolving *s, struct process_entry *p)
{
	struct process_entry *parent = p->parent;
	struct markers markers;
	struct owner owner = { 0 };

	while (parent && parent->main == p) /* skip its launcher */
		parent = parent->parent;
	markers_read(&markers, p->links);
	if (parent && parent->owner_agent && !is_foster_child(s, parent, &markers)) {
		p->above = parent->main != p ? parent->main : NULL;
		owner.is_gone = parent->main != parent && parent->is_main_gone;
		owner.gone = parent->gone;
	} else {
		owner = owner_by_markers(s, p, &markers, OWNER_NAMED);
		p->above = owner.main != p ? owner.main : NULL;
	}
	/* A process at a terminal is in use, so it is no leftover. */
	if (p->process->is_foreground || !owner.is_gone)
		return;
	p->is_main_gone = true;
	p->gone = owner.gone;
}

/* --- owners: everything else --- */

static void find_by_markers(struct resolving *s, struct process_entry *p)
{
	bool has_parents = p->parent && p->parent->owner_agent;
	struct markers markers;
	struct owner owner;

	markers_read(&markers, p->links);
	if (has_parents && !is_foster_child(s, p->parent, &markers)) {
		copy_from_parent(p);
		return;
	}
	owner = owner_by_markers(s, p, &markers, has_parents ? OWNER_NAMED : OWNER_ANY);
	if (has_parents && (!owner.agent || owner.doubt.size || owner.main == p->parent->main)) {
		copy_from_parent(p);
		return;
	}
	if (!owner.main && owner_by_input(s, p, &owner)) {
		set_owner(p, &owner);
		return;
	}
	if (owner.agent)
		set_owner(p, &owner);
}

/* Makes an agent's own program a member of an unknown session. */
static void find_at_least(struct resolving *s, struct process_entry *p)
{
	p->owner_agent = p->agent;
	p->linked = p;
	p->link = PROCESS_LINK_KIND;
	p->doubt =
		process_table_say(s->process_table, "the agent session of this process is unknown");
}

/* Finds the session of every process that is in none yet. */
static void process_table_resolve_owners(struct resolving *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct process_entry *p = s->order[i];

		if (p->main) {
			if (p->main == p)
				find_above(s, p);
			else
				p->owner_agent = p->agent;
			p->linked = p;
			continue;
		}
		find_by_markers(s, p);
		if (!p->owner_agent && p->agent && p->role != AGENT_ROLE_MCP)
			find_at_least(s, p);
	}
}

/* --- leftovers --- */

/*
 * Decides whether a leftover of an ended session was left on purpose. A process that should stay
 * cuts its links: it has its own process session without a terminal (setsid, daemon(3)) or ignores
 * SIGHUP (nohup), and its standard streams go to files or nowhere. Tool calls also have their own
 * process session, so that alone proves nothing: their streams lead back to the agent through pipes
 * and sockets, or into the file with the tool call's output.
 *
 * A shell in a multiplexer or an editor that the session started is no leftover either, because it
 * reads from a live terminal.
 *
 * The answer is UNDECIDED if the streams lead away and the leader of the process session has ended:
 * a daemon that forked twice looks like this, and so does a finished shell job. If its directory is
 * "/", the process is a daemon.
 */

enum answer { NO, YES, UNDECIDED };

/* --- leftovers: streams --- */

static bool is_tool_output(const struct agent *agent, struct span path)
{
	return agent && agent->tool_outputs && path_below(path, agent->tool_outputs).size;
}

static bool is_stream_to_null(const struct proc_ties *t, int i)
{
	return process_table_state_is_value(t->stream_state[i]) && t->stream[i] == PROC_STREAM_NULL;
}

static enum answer leads_away(const struct process_entry *p)
{
	const struct proc_ties *t = p->links;
	/* Some daemons keep standard error for late errors. */
	int count = t && is_stream_to_null(t, 0) && is_stream_to_null(t, 1) ? 2 : 3;

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

/* --- leftovers: one process --- */

static bool is_hangup_ignored(const struct process_entry *p)
{
	return p->links && process_table_state_is_value(p->links->hangup_state) &&
	       p->links->is_hangup_ignored;
}

static bool is_working_in_root(const struct process_entry *p)
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

/* Returns whether a user may type there: the kernel detaches a terminal without another side. */
static bool is_on_terminal(const struct process_entry *p)
{
	return p->process->terminal != PROC_NO_TERMINAL && p->links &&
	       process_table_state_is_value(p->links->stream_state[0]) &&
	       p->links->stream[0] == PROC_STREAM_TERMINAL;
}

static enum answer is_detached_from_session(
	const struct resolving *s, const struct process_entry *p)
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
	return is_working_in_root(p) ? away : UNDECIDED;
}

/* --- leftovers: reasons --- */

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
			s->process_table, "%s, output to %.*s", how, SPAN_ARGS(path));
	return process_table_say(s->process_table, "%s, no output", how);
}

/* --- leftovers: all --- */

static void resolve_left_process(struct resolving *s, struct process_entry *p)
{
	const struct process_entry *leader = leader_of(s, p);
	enum answer loose = is_detached_from_session(s, p);

	/* Descendants and process-session members of a left process were left with it. */
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

/* Returns whether the process may have left: its session has ended, or may have, or its living main
 * process is no ancestor. A launcher is above its main process and works for it. */
static bool may_have_left(const struct process_entry *p)
{
	return p->is_main_gone || p->doubt.size ||
	       (p->main && p->link != PROCESS_LINK_LAUNCHED && !process_table_is_below(p, p->main));
}

/* Decides which leftovers of ended sessions were left on purpose. */
static void process_table_resolve_left(struct resolving *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (may_have_left(s->order[i]) && is_leader(s->order[i]))
			resolve_left_process(s, s->order[i]);
	}
	for (size_t i = 0; i < s->count; i++) {
		if (may_have_left(s->order[i]) && !is_leader(s->order[i]))
			resolve_left_process(s, s->order[i]);
	}
}

/* --- the project of a process, by the rule of the older tools --- */

/* Returns the last part of a path. */
static struct span last_part(struct span path)
{
	while (path.size > 1 && path.data[path.size - 1] == '/')
		path.size--;
	return path.size == 1 ? path : path_base(path);
}

static struct span named_in(struct span word)
{
	static const char prefix[] = "Working in: ";
	const char *at = memmem(word.data, word.size, prefix, strlen(prefix));

	if (!at)
		return span_of("", 0);
	at += strlen(prefix);
	word = span_of(at, word.size - (size_t)(at - word.data));
	at = memmem(word.data, word.size, " @", 2);
	return at ? span_of(word.data, (size_t)(at - word.data)) : word;
}

/* Returns NAME of --append-system-prompt "Working in: NAME @TTY" in the NUL-separated arguments;
 * else the last part of the git work tree; else of the working directory. Borrowed; empty:
 * unknown. */
static struct span project_of(struct span arguments, struct span root, struct span directory)
{
	static const char option[] = "--append-system-prompt";
	struct cursor c = cursor_over(arguments.data, arguments.size);

	while (!cursor_at_end(&c)) {
		struct span word = cursor_until(&c, '\0'), name;

		if (span_equal(word, option))
			word = cursor_until(&c, '\0');
		else if (!span_starts(word, option))
			continue;
		name = named_in(word);
		if (name.size)
			return name;
	}
	return last_part(root.size ? root : directory);
}

/* --- all processes of a session --- */

static void find_project(struct resolving *s, struct process_entry *p)
{
	const struct proc_process *process = p->process;
	struct span root = span_of("", 0), project;

	if (p->links && process_table_state_is_value(p->links->root_state))
		root = process_table_field(&p->links->record, &p->links->root);
	project = project_of(process_table_arguments(p), root,
		process_table_field(&process->record, &process->directory));
	p->project = process_table_put(s->process_table, project);
	p->place = process_table_put(s->process_table,
		root.size ? root : process_table_field(&process->record, &process->directory));
	p->project_state = project.size ? SOOTH_STATE_VALUE : process->directory_state;
	/* The directory has a value but is empty: another tool wrote the record. */
	if (!project.size && process_table_state_is_value(process->directory_state))
		p->project_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
}

static void find_id(struct process_entry *p)
{
	if (p->main && p->main != p) {
		p->session_id = p->main->session_id;
		p->session_state = p->main->session_state;
	} else if (p->owner_agent && p->main != p) {
		p->session_state = p->session_id.size
					   ? SOOTH_STATE_VALUE
					   : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	} else if (!p->owner_agent) {
		p->session_state = SOOTH_STATE_ABSENT;
	}
}

/* Finds the project of each session, and the session id of each member. */
static void process_table_resolve_projects(struct resolving *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct process_entry *p = s->order[i];

		find_id(p);
		if (p->owner_agent ? !p->main || p->main == p : p->has_role)
			find_project(s, p);
		else
			p->project_state = SOOTH_STATE_ABSENT;
	}
	/* A launcher precedes its main process. */
	for (size_t i = 0; i < s->count; i++) {
		struct process_entry *p = s->order[i];

		if (!p->main || p->main == p)
			continue;
		p->project = p->main->project;
		p->place = p->main->place;
		p->project_state = p->main->project_state;
	}
}

/* --- all steps --- */

int process_table_resolve(struct process_table *c)
{
	assert(c);

	struct resolving s = { .process_table = c };
	int status;

	if (c->is_resolved)
		return 0;
	process_table_forget(c);
	map_init(&s.by_pid, sizeof(uint64_t), sizeof(void *), PROCESSES_MAX);
	map_init(&s.by_inner, 2 * sizeof(uint64_t), sizeof(void *), PROCESSES_MAX);
	map_init(&s.by_session, PROCESS_TABLE_SESSION_KEY, sizeof(void *), 2 * PROCESSES_MAX);
	map_init(&s.oldest, 3 * sizeof(uint64_t), sizeof(void *), 4 * PROCESSES_MAX);
	status = process_table_resolve_tree(&s);
	if (!status) {
		process_table_resolve_agents(&s);
		process_table_resolve_sessions(&s);
		process_table_resolve_owners(&s);
		process_table_resolve_roles(&s);
		process_table_resolve_left(&s);
		process_table_resolve_projects(&s);
		process_table_resolve_servers(&s);
		process_table_resolve_versions(&s);
	}
	if (s.is_out_of_memory || buffer_failed(&c->texts) || buffer_failed(&c->installed))
		status = -ENOMEM;
	free(s.order);
	map_fini(&s.by_pid);
	map_fini(&s.by_inner);
	map_fini(&s.by_session);
	map_fini(&s.oldest);
	c->is_resolved = !status;
	return status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which processes are agents, and which of those begin a session. Running an agent's program is not
 * enough: an agent forks before it execs something else, searches with its own executable under
 * another name, serves another agent over pipes, or has a launcher that runs the same script.
 */
#include "analyze/process_table/process_table_resolving.h"

#include <string.h>

#include "analyze/process_table/process_evidence.h"
#include "agents/script.h"

#define DAEMONS_MAX 64 /* each with its own program; more of them each count alone */
#define LAUNCHER_STEPS                                                                             \
	4 /* at most so many processes between a launcher and its main process, plus one */

const struct agent *process_table_agent_next(const struct process_table *c, size_t *position)
{
	return agent_set_next(c->agents, position);
}

/*
 * The collector has already ruled out most processes by the same rules, with more evidence than it
 * records.
 */
static void recognise(const struct process_table *c, struct process_entry *p)
{
	const struct sooth_record *record = &p->process->record;
	struct agent_evidence evidence;

	p->agent = NULL;
	p->match = (struct agent_match){ 0 };
	if (p->process->is_brief)
		return;
	evidence = process_evidence(record);
	p->agent = agent_recognise(c->agents, &evidence, &p->match);
}

static struct span started_as(const struct process_entry *p)
{
	struct span arguments = process_table_arguments(p);
	struct cursor c = cursor_over(arguments.data, arguments.size);

	return path_base(cursor_until(&c, '\0'));
}

/* "rg", which is built into Claude Code. */
static bool is_other_program(const struct process_entry *p)
{
	struct span name = started_as(p);
	struct cursor c = cursor_over(
		p->agent->other_names, p->agent->other_names ? strlen(p->agent->other_names) : 0);

	while (name.size && !cursor_at_end(&c)) {
		if (!span_compare(cursor_until(&c, ' '), name))
			return true;
	}
	return false;
}

/*
 * "codex mcp-server", "claude mcp serve": they serve the process at the other end of their input.
 */
static bool is_served_by(const struct process_entry *p)
{
	struct span arguments = process_table_arguments(p);
	struct cursor c = cursor_over(arguments.data, arguments.size);
	bool is_mcp = false;

	if (!process_table_is_piped(p))
		return false;
	while (!cursor_at_end(&c)) {
		struct span word = cursor_until(&c, '\0');

		if (span_equal(word, "mcp-server") || (is_mcp && span_equal(word, "serve")))
			return true;
		is_mcp = span_equal(word, "mcp");
	}
	return false;
}

/* Between fork and exec a child is byte for byte like its parent. */
static bool is_fork_of(const struct process_entry *p, const struct process_entry *parent)
{
	return !span_compare(process_table_arguments(p), process_table_arguments(parent)) &&
	       !span_compare(process_table_field(&p->process->record, &p->process->executable),
		       process_table_field(&parent->process->record, &parent->process->executable));
}

static void become(struct process_entry *p, enum agent_role role)
{
	p->has_role = true;
	p->role = role;
	p->player = p;
}

static void begin_session(struct process_entry *p)
{
	p->main = p->linked = p;
	p->owner_agent = p->agent;
	p->link = PROCESS_LINK_SELF;
}

static enum agent_role role_below_its_like(struct process_entry *p)
{
	struct process_entry *parent = p->parent;

	if (is_fork_of(p, parent))
		return AGENT_ROLE_HELPER;
	if (p->agent->starts_itself) {
		become(parent, AGENT_ROLE_LAUNCHER);
		return AGENT_ROLE_MAIN;
	}
	/* A conversation that an agent starts for itself runs in its own process session. */
	return p->process->session == parent->process->session ? AGENT_ROLE_HELPER
							       : AGENT_ROLE_MAIN;
}

static void place(struct process_entry *p)
{
	struct process_entry *parent = p->parent;
	enum agent_role role = p->match.role;

	if (role == AGENT_ROLE_MAIN && is_other_program(p))
		role = AGENT_ROLE_HELPER;
	else if (role != AGENT_ROLE_HELPER && is_served_by(p))
		role = AGENT_ROLE_MCP;
	else if (role == AGENT_ROLE_MAIN && parent && parent->agent == p->agent &&
		 parent->role == AGENT_ROLE_MAIN && parent->has_role)
		role = role_below_its_like(p);
	become(p, role);
	if (role == AGENT_ROLE_MAIN || role == AGENT_ROLE_DAEMON || role == AGENT_ROLE_LAUNCHER)
		begin_session(p);
}

/* A daemon belongs to the session that started it while that session is live. */
static bool has_session_above(const struct process_entry *p)
{
	const struct process_entry *above = p->parent;

	for (int i = 0; above && i < LAUNCHER_STEPS; i++, above = above->parent) {
		if (above->agent == p->agent && above->link == PROCESS_LINK_SELF)
			return true;
	}
	return false;
}

static void join(struct process_entry *p, struct process_entry *main, enum process_link link)
{
	p->main = main;
	p->link = link;
}

static void find_launcher(struct process_entry *p)
{
	struct process_entry *above = p->parent;

	for (int i = 0; above && i < LAUNCHER_STEPS; i++, above = above->parent) {
		if (above->agent == p->agent && above->has_role &&
			above->role == AGENT_ROLE_LAUNCHER && above->main == above)
			join(above, p, PROCESS_LINK_LAUNCHED);
	}
}

/* Of several daemons left by one program, the oldest does the work: it started first. */
static void join_daemon(struct process_entry **oldest, size_t *count, struct process_entry *p)
{
	struct span executable = process_table_field(&p->process->record, &p->process->executable);

	for (size_t i = 0; i < *count; i++) {
		struct span other = process_table_field(
			&oldest[i]->process->record, &oldest[i]->process->executable);

		if (oldest[i]->agent == p->agent && executable.size &&
			oldest[i]->process->uid == p->process->uid &&
			!span_compare(other, executable) && process_table_is_older(oldest[i], p)) {
			join(p, oldest[i], PROCESS_LINK_KIND);
			return;
		}
	}
	if (*count < DAEMONS_MAX)
		oldest[(*count)++] = p;
}

/* On a busy machine or with a dead mount an unread process may still be an agent. */
static void note_unread(struct resolving *s, const struct process_entry *p)
{
	if (p->process->arguments_state != SOOTH_NOT_MEASURED(SOOTH_REASON_BLOCKED))
		return;
	if (!s->unread_ticks || p->id.start_ticks < s->unread_ticks)
		s->unread_ticks = p->id.start_ticks;
}

void process_table_resolve_agents(struct resolving *s)
{
	struct process_entry *daemons[DAEMONS_MAX];
	size_t daemon_count = 0;

	for (size_t i = 0; i < s->count; i++) {
		struct process_entry *p = s->order[i];

		recognise(s->process_table, p);
		if (p->agent)
			place(p);
		else
			note_unread(s, p);
	}
	for (size_t i = 0; i < s->count; i++) {
		struct process_entry *p = s->order[i];

		if (!p->has_role || p->main != p)
			continue;
		if (p->role == AGENT_ROLE_MAIN)
			find_launcher(p);
		if (p->role != AGENT_ROLE_DAEMON)
			continue;
		if (has_session_above(p))
			join(p, NULL, PROCESS_LINK_NONE); /* like any other process below it */
		else
			join_daemon(daemons, &daemon_count, p);
	}
}

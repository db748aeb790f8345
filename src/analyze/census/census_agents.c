/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which processes are agents, and which of these begin a session. That a process runs an
 * agent's program is not enough: an agent forks before it starts something else, searches by
 * its own executable under another name, serves another agent over pipes, or has a launcher
 * that runs the same script.
 */
#include "analyze/census/census_settling.h"

#include <string.h>

#include "analyze/census/process_evidence.h"
#include "core/script.h"

#define DAEMONS_MAX    64 /* with a program of their own each; beyond, each stands for itself */
#define LAUNCHER_STEPS 4  /* most processes between a launcher and its main process, and one */

const struct agent *census_agent_next(const struct census *c, size_t *position)
{
	return agent_set_next(c->agents, position);
}

/* Of most processes of a host the collector found by the same rules that they are none, with more
 * at hand than it tells of them. */
static void recognise(const struct census *c, struct census_process *p)
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

static struct span started_as(const struct census_process *p)
{
	struct span arguments = census_arguments(p);
	struct cursor c = cursor_over(arguments.data, arguments.size);

	return path_base(cursor_until(&c, '\0'));
}

/* "rg", which Claude Code has built in. */
static bool is_other_program(const struct census_process *p)
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

/* "codex mcp-server", "claude mcp serve": it serves whoever holds its input. */
static bool is_served_by(const struct census_process *p)
{
	struct span arguments = census_arguments(p);
	struct cursor c = cursor_over(arguments.data, arguments.size);
	bool is_mcp = false;

	if (!census_is_piped(p))
		return false;
	while (!cursor_at_end(&c)) {
		struct span word = cursor_until(&c, '\0');

		if (span_equal(word, "mcp-server") || (is_mcp && span_equal(word, "serve")))
			return true;
		is_mcp = span_equal(word, "mcp");
	}
	return false;
}

/* Between fork and exec a child looks like its parent, to the last byte. */
static bool is_fork_of(const struct census_process *p, const struct census_process *parent)
{
	return !span_compare(census_arguments(p), census_arguments(parent)) &&
	       !span_compare(census_field(&p->process->record, &p->process->executable),
		       census_field(&parent->process->record, &parent->process->executable));
}

static void become(struct census_process *p, enum agent_role role)
{
	p->has_role = true;
	p->role = role;
	p->player = p;
}

static void begin_session(struct census_process *p)
{
	p->main = p->tied = p;
	p->owner_agent = p->agent;
	p->tie = CENSUS_TIE_SELF;
}

static enum agent_role role_below_its_like(struct census_process *p)
{
	struct census_process *parent = p->parent;

	if (is_fork_of(p, parent))
		return AGENT_ROLE_HELPER;
	if (p->agent->starts_itself) {
		become(parent, AGENT_ROLE_LAUNCHER);
		return AGENT_ROLE_MAIN;
	}
	/* One that an agent starts for a conversation of its own gets a session of its own. */
	return p->process->session == parent->process->session ? AGENT_ROLE_HELPER
							       : AGENT_ROLE_MAIN;
}

static void place(struct census_process *p)
{
	struct census_process *parent = p->parent;
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

/* A daemon belongs to the session that started it, as long as that is there. */
static bool has_session_above(const struct census_process *p)
{
	const struct census_process *above = p->parent;

	for (int i = 0; above && i < LAUNCHER_STEPS; i++, above = above->parent) {
		if (above->agent == p->agent && above->tie == CENSUS_TIE_SELF)
			return true;
	}
	return false;
}

static void join(struct census_process *p, struct census_process *main, enum census_tie tie)
{
	p->main = main;
	p->tie = tie;
}

static void find_launcher(struct census_process *p)
{
	struct census_process *above = p->parent;

	for (int i = 0; above && i < LAUNCHER_STEPS; i++, above = above->parent) {
		if (above->agent == p->agent && above->has_role &&
			above->role == AGENT_ROLE_LAUNCHER && above->main == above)
			join(above, p, CENSUS_TIE_LAUNCHED);
	}
}

/* Of several daemons that one program left behind the oldest does the work: it started first. */
static void join_daemon(struct census_process **oldest, size_t *count, struct census_process *p)
{
	struct span executable = census_field(&p->process->record, &p->process->executable);

	for (size_t i = 0; i < *count; i++) {
		struct span other =
			census_field(&oldest[i]->process->record, &oldest[i]->process->executable);

		if (oldest[i]->agent == p->agent && executable.size &&
			oldest[i]->process->uid == p->process->uid &&
			!span_compare(other, executable) && census_is_older(oldest[i], p)) {
			join(p, oldest[i], CENSUS_TIE_KIND);
			return;
		}
	}
	if (*count < DAEMONS_MAX)
		oldest[(*count)++] = p;
}

/* A busy machine, a dead mount: it may be an agent all the same. */
static void note_unread(struct settling *s, const struct census_process *p)
{
	if (p->process->arguments_state != SOOTH_NOT_MEASURED(SOOTH_REASON_BLOCKED))
		return;
	if (!s->unread_ticks || p->id.start_ticks < s->unread_ticks)
		s->unread_ticks = p->id.start_ticks;
}

void census_settle_agents(struct settling *s)
{
	struct census_process *daemons[DAEMONS_MAX];
	size_t daemon_count = 0;

	for (size_t i = 0; i < s->count; i++) {
		struct census_process *p = s->order[i];

		recognise(s->census, p);
		if (p->agent)
			place(p);
		else
			note_unread(s, p);
	}
	for (size_t i = 0; i < s->count; i++) {
		struct census_process *p = s->order[i];

		if (!p->has_role || p->main != p)
			continue;
		if (p->role == AGENT_ROLE_MAIN)
			find_launcher(p);
		if (p->role != AGENT_ROLE_DAEMON)
			continue;
		if (has_session_above(p))
			join(p, NULL, CENSUS_TIE_NONE); /* as anything else below it */
		else
			join_daemon(daemons, &daemon_count, p);
	}
}

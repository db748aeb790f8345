/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each process does in its session. A child of the main process (or of its launcher or
 * daemon) is told by the agent's own table, then by place: a session of its own is a tool call,
 * pipes in the main one's session are an MCP server. What such a child starts plays its part.
 * Of what was cut off from its session the place is known in part; then markers and names
 * decide, and where they do not it has no role.
 */
#include "analyze/census/census_settling.h"

#include "analyze/census/server_name.h"

struct part {
	const struct census_process *p;
	struct markers markers; /* without those that the main process has itself */
	enum agent_place place; /* ANY: not known */
	bool is_piped;
	struct server_name name;
};

static struct server_name name_of(const struct census_process *p)
{
	const struct sooth_record *r = &p->process->record;
	const struct server_command command = {
		.executable = census_field(r, &p->process->executable),
		.arguments = census_arguments(p),
		.package = census_field(r, &p->process->package),
	};

	return server_name(&command);
}

/* --- what is known --- */

/*
 * Whether it is in a session of its own (setsid), or in that of its agent. When the agent is
 * gone and the leader is there, is not the process, and has none of its markers, then the leader
 * is the user's shell and the session was the agent's.
 */
static enum agent_place place_of(const struct settling *s, const struct census_process *p)
{
	const struct census_process *head = p->parent, *leader;

	if (p->process->session == p->id.pid)
		return AGENT_PLACE_OWN;
	if (!head || !census_is_head(head))
		head = p->main;
	if (head)
		return p->process->session == head->process->session ? AGENT_PLACE_SAME
								     : AGENT_PLACE_OWN;
	leader = census_by_pid(s, p->process->session);
	if (!leader || !census_is_older(leader, p))
		return AGENT_PLACE_ANY;
	/* The gone main process itself, of which a zombie is left. */
	if (census_is_head(leader))
		return AGENT_PLACE_SAME;
	return leader->owner_agent == p->owner_agent ? AGENT_PLACE_OWN : AGENT_PLACE_SAME;
}

static struct part part_of(const struct settling *s, const struct census_process *p)
{
	struct part part = {
		.p = p, .place = place_of(s, p), .is_piped = census_is_piped(p), .name = name_of(p)
	};
	struct markers mains;

	markers_read(&part.markers, p->ties);
	if (p->main && p->main->ties) {
		markers_read(&mains, p->main->ties);
		markers_without(&part.markers, &mains);
	}
	return part;
}

/* --- rules --- */

static bool fits(const struct agent_child *child, const struct part *part)
{
	if (child->place != AGENT_PLACE_ANY && part->place != AGENT_PLACE_ANY &&
		child->place != part->place)
		return false;
	if (child->is_piped && !part->is_piped)
		return false;
	return markers_have_all(&part->markers, child->has) &&
	       (!child->lacks || markers_have_none(&part->markers, child->lacks));
}

static bool by_agent(const struct part *part, enum agent_role *role)
{
	const struct agent *agent = part->p->owner_agent;

	if (!agent || !part->markers.is_told)
		return false;
	for (size_t i = 0; i < AGENT_CHILDREN_MAX && agent->children[i].has; i++) {
		if (fits(&agent->children[i], part)) {
			*role = agent->children[i].role;
			return true;
		}
	}
	return false;
}

/* A program that is known by name is no MCP server. */
static enum agent_role piped_role(const struct part *part)
{
	enum agent_role role;

	return program_role(part->name.name, &role) ? role : AGENT_ROLE_MCP;
}

static bool is_refused(uint8_t state)
{
	return state == SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
}

/* Its environment may not be read, and might make something else of it than its place does. */
static bool may_be_another(const struct part *part, enum agent_role role)
{
	const struct agent *agent = part->p->owner_agent;

	if (!agent || !part->p->ties || !is_refused(part->p->ties->markers_state))
		return false;
	for (size_t i = 0; i < AGENT_CHILDREN_MAX && agent->children[i].has; i++) {
		const struct agent_child *child = &agent->children[i];

		if (child->role != role &&
			(child->place == AGENT_PLACE_ANY || part->place == AGENT_PLACE_ANY ||
				child->place == part->place))
			return true;
	}
	return false;
}

/* Whether what tells the role may not be read: what is not known to be no pipe is no helper. */
static bool is_untold(const struct part *part, enum agent_role role)
{
	const struct proc_ties *t = part->p->ties;

	return may_be_another(part, role) ||
	       (t && part->place != AGENT_PLACE_OWN &&
		       (is_refused(t->stream_state[0]) || is_refused(t->stream_state[1])));
}

static bool by_place(const struct part *part, enum agent_role *role)
{
	if (markers_of_agent(&part->markers, part->p->owner_agent).is_tool)
		*role = AGENT_ROLE_TOOL;
	else if (part->place == AGENT_PLACE_OWN)
		*role = AGENT_ROLE_TOOL;
	else if (!part->p->ties) /* an older capture: nothing of its streams */
		return false;
	else if (part->place == AGENT_PLACE_SAME)
		*role = part->is_piped ? piped_role(part) : AGENT_ROLE_HELPER;
	else if (part->is_piped && part->p->ties->stream[0] == part->p->ties->stream[1])
		*role = piped_role(part); /* what agents run for a tool call reads /dev/null */
	else
		*role = AGENT_ROLE_TOOL;
	return true;
}

/* --- giving roles --- */

static void play(struct census_process *p, enum agent_role role, struct census_process *player)
{
	p->has_role = true;
	p->role = role;
	p->player = player;
	p->role_name = player->role_name;
}

static void play_itself(
	struct settling *s, struct census_process *p, enum agent_role role, struct span name)
{
	if (role == AGENT_ROLE_MCP || role == AGENT_ROLE_LANGUAGE_SERVER)
		p->role_name = census_put(s->census, name);
	play(p, role, p);
}

/* Of nobody's session, but called as MCP servers are, and talked to as they are. */
static void find_stray(struct settling *s, struct census_process *p)
{
	struct server_name name;

	if (!census_is_fed(p))
		return;
	if (p->parent && p->parent->has_role && p->parent->role == AGENT_ROLE_MCP &&
		!p->parent->owner_agent) {
		play(p, AGENT_ROLE_MCP, p->parent->player);
		return;
	}
	name = name_of(p);
	if (server_name_is_mcp(&name))
		play_itself(s, p, AGENT_ROLE_MCP, name.name);
}

static void find_role(struct settling *s, struct census_process *p)
{
	struct census_process *parent = p->parent;
	enum agent_role role;
	struct part part;
	bool is_known;

	if (parent && p->tied != p && parent->has_role && !census_is_head(parent)) {
		play(p, parent->role, parent->player);
		return;
	}
	if (parent && p->tied != p && !census_is_head(parent)) {
		p->role_state = parent->role_state; /* as little is known as of its parent */
		return;
	}
	part = part_of(s, p);
	is_known = by_agent(&part, &role);
	if (!is_known && by_place(&part, &role)) {
		is_known = !is_untold(&part, role);
		p->role_state = is_known ? 0 : SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	}
	if (is_known)
		play_itself(s, p, role, part.name.name);
}

void census_settle_roles(struct settling *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct census_process *p = s->order[i];

		if (p->has_role && p->role == AGENT_ROLE_MCP)
			p->role_name = census_put(s->census, name_of(p).name);
		else if (!p->has_role && p->owner_agent)
			find_role(s, p);
		else if (!p->has_role)
			find_stray(s, p);
	}
}

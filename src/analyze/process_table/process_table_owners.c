/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session of each process. The tree gives it for all processes that were not reparented. For
 * those, the environment still names the session, and the main process may have the other end of
 * their input. The present parent is no evidence: init, the user's systemd, a container's init and
 * any other subreaper are alike.
 *
 * A session is gone only when that follows from the samples; otherwise it is undecided, with the
 * reason.
 */
#include "analyze/process_table/process_table_owner.h"

/* --- inherit from the parent --- */

static void take(struct process_entry *p, const struct owner *owner)
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

static void take_from_parent(struct process_entry *p)
{
	const struct process_entry *parent = p->parent;

	p->owner_agent = parent->owner_agent;
	p->main = parent->main;
	p->link = parent->link;
	p->linked = parent->linked;
	/* Of a main process these fields are about itself as a leftover. */
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

/*
 * Markers that its parent cannot have given it. A parent without that agent's marker that is not
 * one of its programs adopted the process: a subreaper below another agent, or below another
 * session of the same agent.
 */
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

/* --- main processes --- */

/*
 * Of the environment of a main process only markers that name a session count: a program that
 * embeds an agent sets the others too.
 */
static void find_above(struct resolving *s, struct process_entry *p)
{
	struct process_entry *parent = p->parent;
	struct markers markers;
	struct owner owner = { 0 };

	while (parent && parent->main == p) /* its launcher */
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

/* --- everything else --- */

static void find_by_markers(struct resolving *s, struct process_entry *p)
{
	bool has_parents = p->parent && p->parent->owner_agent;
	struct markers markers;
	struct owner owner;

	markers_read(&markers, p->links);
	if (has_parents && !is_foster_child(s, p->parent, &markers)) {
		take_from_parent(p);
		return;
	}
	owner = owner_by_markers(s, p, &markers, has_parents ? OWNER_NAMED : OWNER_ANY);
	if (has_parents && (!owner.agent || owner.doubt.size || owner.main == p->parent->main)) {
		take_from_parent(p);
		return;
	}
	if (!owner.main && owner_by_input(s, p, &owner)) {
		take(p, &owner);
		return;
	}
	if (owner.agent)
		take(p, &owner);
}

/* A program of the agent itself, of an unknown session. */
static void find_at_least(struct resolving *s, struct process_entry *p)
{
	p->owner_agent = p->agent;
	p->linked = p;
	p->link = PROCESS_LINK_KIND;
	p->doubt =
		process_table_say(s->process_table, "the agent session of this process is unknown");
}

void process_table_resolve_owners(struct resolving *s)
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

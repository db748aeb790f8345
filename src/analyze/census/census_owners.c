/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose session a process is in. The tree tells it of all that was not reparented. Of what
 * was, the environment still names the session, and the other end of its input may be held
 * by the main process. Who the parent is now is no evidence: init, the user's systemd, a
 * container's init and any other subreaper are alike.
 *
 * A session is gone only when that follows from what was seen; else there is a doubt, in words.
 */
#include "analyze/census/census_owner.h"

/* --- taking over --- */

static void take(struct census_process *p, const struct owner *owner)
{
	p->owner_agent = owner->agent;
	p->main = owner->main;
	p->tie = owner->tie;
	p->is_main_gone = owner->is_gone;
	p->doubt = owner->doubt;
	p->gone = owner->gone;
	p->session_id = owner->session_id;
	p->tied = p;
}

static void take_from_parent(struct census_process *p)
{
	const struct census_process *parent = p->parent;

	p->owner_agent = parent->owner_agent;
	p->main = parent->main;
	p->tie = parent->tie;
	p->tied = parent->tied;
	/* Of a main process these say something else: whose leftover it is itself. */
	if (parent->main != parent) {
		p->is_main_gone = parent->is_main_gone;
		p->doubt = parent->doubt;
		p->gone = parent->gone;
		p->session_id = parent->session_id;
	}
	if (p->main && (census_is_head(parent) || p->tie == CENSUS_TIE_SELF))
		p->tie = CENSUS_TIE_ANCESTOR;
	if (p->tie == CENSUS_TIE_ANCESTOR)
		p->tied = p->main;
}

/*
 * What of its markers its parent cannot have given it. A parent that has not that agent's
 * marker and is none of its programs took the process over: a subreaper below another agent, or
 * below another session of the same one.
 */
static bool is_adopted(const struct census_process *parent, const struct agent *agent,
	const struct agent_markers *of, const struct markers *parents)
{
	struct agent_markers theirs;

	if (!parents->is_told || parent->agent == agent || (!of->pid.size && !of->sessions))
		return false;
	theirs = markers_of_agent(parents, agent);
	if (of->pid.size && span_compare(of->pid, theirs.pid))
		return true;
	return of->sessions &&
	       (!theirs.sessions || span_compare(of->session[0], theirs.session[0]));
}

static bool is_foster_child(const struct settling *s, const struct census_process *parent,
	const struct markers *markers)
{
	struct markers parents;
	const struct agent *agent;
	size_t position = 0;

	if (!parent || !markers->count)
		return false;
	markers_read(&parents, parent->ties);
	while ((agent = census_agent_next(s->census, &position))) {
		const struct agent_markers of = markers_of_agent(markers, agent);

		if (of.is_any && is_adopted(parent, agent, &of, &parents))
			return true;
	}
	return false;
}

/* --- main processes --- */

/* Of the environment of a main process only what names a session counts: whoever embeds an agent
 * sets the others too. */
static void find_above(struct settling *s, struct census_process *p)
{
	struct census_process *parent = p->parent;
	struct markers markers;
	struct owner owner = { 0 };

	while (parent && parent->main == p) /* its launcher */
		parent = parent->parent;
	markers_read(&markers, p->ties);
	if (parent && parent->owner_agent && !is_foster_child(s, parent, &markers)) {
		p->above = parent->main != p ? parent->main : NULL;
		owner.is_gone = parent->main != parent && parent->is_main_gone;
		owner.gone = parent->gone;
	} else {
		owner = owner_by_markers(s, p, &markers, OWNER_NAMED);
		p->above = owner.main != p ? owner.main : NULL;
	}
	/* Who works at a terminal is nobody's leftover. */
	if (p->process->is_foreground || !owner.is_gone)
		return;
	p->is_main_gone = true;
	p->gone = owner.gone;
}

/* --- everything else --- */

static void find_by_markers(struct settling *s, struct census_process *p)
{
	bool has_parents = p->parent && p->parent->owner_agent;
	struct markers markers;
	struct owner owner;

	markers_read(&markers, p->ties);
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

/* One of an agent's own programs, and nothing says in which session. */
static void find_at_least(struct settling *s, struct census_process *p)
{
	p->owner_agent = p->agent;
	p->tied = p;
	p->tie = CENSUS_TIE_KIND;
	p->doubt = census_say(s->census, "which session it belongs to is not told");
}

void census_settle_owners(struct settling *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct census_process *p = s->order[i];

		if (p->main) {
			if (p->main == p)
				find_above(s, p);
			else
				p->owner_agent = p->agent;
			p->tied = p;
			continue;
		}
		find_by_markers(s, p);
		if (!p->owner_agent && p->agent && p->role != AGENT_ROLE_MCP)
			find_at_least(s, p);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ids of sessions: what an agent's own files tell, else what all children of the main
 * process have in their environment. And the tables by which an id or a pid in a marker is
 * looked up.
 */
#include "analyze/census/census_settling.h"

#include <string.h>

#include "analyze/census/census_lookup.h"
#include "analyze/census/process_evidence.h"
#include "model/field.h"

static void keep(struct settling *s, struct map *m, const void *key, struct census_process *p)
{
	if (!census_keep(m, key, p))
		s->is_out_of_memory = true;
}

/* --- keys --- */

static bool session_key(
	unsigned char key[CENSUS_SESSION_KEY], const struct agent *agent, struct span id)
{
	uint64_t which = (uint64_t)(uintptr_t)agent;

	if (!id.size || id.size > CENSUS_ID_MAX)
		return false;
	memset(key, 0, CENSUS_SESSION_KEY);
	memcpy(key, &which, sizeof(which));
	memcpy(key + sizeof(which), id.data, id.size);
	return true;
}

struct census_process *census_by_session(
	const struct settling *s, const struct agent *agent, struct span id)
{
	unsigned char key[CENSUS_SESSION_KEY];

	return session_key(key, agent, id) ? census_kept(&s->by_session, key) : NULL;
}

uint64_t census_namespace(const struct census_process *p)
{
	return p->ties && census_state_is_value(p->ties->namespace_state) ? p->ties->pid_namespace
									  : CENSUS_UNTOLD;
}

struct census_process *census_by_inner(
	const struct settling *s, uint64_t pid_namespace, uint64_t pid)
{
	const uint64_t key[2] = { pid_namespace, pid };

	return census_kept(&s->by_inner, key);
}

struct census_process *census_oldest(
	const struct settling *s, const struct agent *agent, uint64_t uid, uint64_t pid_namespace)
{
	const uint64_t key[3] = { (uint64_t)(uintptr_t)agent, uid, pid_namespace };

	return census_kept(&s->oldest, key);
}

/* --- ids --- */

static bool is_session_head(const struct census_process *p)
{
	return p->has_role && p->main == p;
}

/* Why there is none. */
static uint8_t no_id(const struct proc_session *session)
{
	if (!session)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	return state_is_unmeasured(session->session_state) ? session->session_state
							   : SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT);
}

static void id_from_files(
	struct settling *s, struct census_process *p, const struct proc_session *session)
{
	struct span id;

	p->session_state = no_id(session);
	if (!session || !census_state_is_value(session->session_state))
		return;
	id = census_field(&session->record, &session->session);
	if (!id.size || id.size > CENSUS_ID_MAX)
		return;
	p->session_id = census_put(s->census, id);
	p->session_state = SOOTH_STATE_VALUE;
}

/* Its environment may name a session in which the main process itself was started. */
static bool is_inherited(const struct census_process *main, struct span id)
{
	struct markers own;
	struct agent_markers of;

	markers_read(&own, main->ties);
	of = markers_of_agent(&own, main->agent);
	for (size_t i = 0; i < of.sessions; i++) {
		if (!span_compare(of.session[i], id))
			return true;
	}
	return false;
}

/* False: its children do not agree. */
static bool id_from_child(
	struct settling *s, struct census_process *main, const struct census_process *child)
{
	struct markers markers;
	struct agent_markers of;

	markers_read(&markers, child->ties);
	of = markers_of_agent(&markers, main->agent);
	if (!of.sessions || of.session[0].size > CENSUS_ID_MAX || is_inherited(main, of.session[0]))
		return true;
	if (main->session_id.size)
		return !span_compare(census_text(s->census, &main->session_id), of.session[0]);
	main->session_id = census_put(s->census, of.session[0]);
	return true;
}

/* False: they do not agree. */
static bool ids_agree(
	struct settling *s, struct census_process *main, const struct census_process *parent)
{
	for (struct census_process *p = parent->first_child; p; p = p->next_sibling) {
		if (!p->agent && !id_from_child(s, main, p))
			return false;
	}
	return true;
}

/* A daemon that works for the main process starts its tool calls, and has its files open. */
static void id_from_children(struct settling *s, struct census_process *main)
{
	bool is_agreed = ids_agree(s, main, main);

	for (struct census_process *p = main->first_child; p; p = p->next_sibling) {
		if (p->agent != main->agent || p->role != AGENT_ROLE_DAEMON)
			continue;
		if (!main->session_id.size)
			id_from_files(s, main, p->session);
		is_agreed = is_agreed && ids_agree(s, main, p);
	}
	if (!is_agreed)
		main->session_id = (struct sooth_text){ 0 };
	main->session_state = main->session_id.size ? SOOTH_STATE_VALUE : no_id(main->session);
}

/* --- tables --- */

static void list_session(struct settling *s, struct census_process *p, struct span id)
{
	unsigned char key[CENSUS_SESSION_KEY];
	struct census_process **at;

	if (!session_key(key, p->agent, id))
		return;
	at = map_put(&s->by_session, key, NULL);
	if (!at)
		s->is_out_of_memory = true;
	/* Who lives counts before who has ended, and of two the one that began it. */
	else if (!*at || (!census_is_living(*at) && census_is_living(p)) ||
		 (census_is_living(*at) == census_is_living(p) &&
			 p->id.start_ticks < (*at)->id.start_ticks))
		*at = p;
}

static void list_ended(struct settling *s)
{
	size_t position = 0;
	void *value;

	while (map_next(&s->census->processes, &position, NULL, &value)) {
		struct census_process *p = *(struct census_process **)value;
		struct agent_evidence evidence;

		if (p->is_there || !p->session || !census_state_is_value(p->session->session_state))
			continue;
		evidence = process_evidence(&p->process->record);
		p->agent = agent_recognise(s->census->agents, &evidence, &p->match);
		if (p->agent)
			list_session(s, p, census_field(&p->session->record, &p->session->session));
	}
}

static void list_oldest(struct settling *s, struct census_process *p, uint64_t uid, uint64_t space)
{
	const uint64_t key[3] = { (uint64_t)(uintptr_t)p->agent, uid, space };
	struct census_process **at = map_put(&s->oldest, key, NULL);

	if (!at)
		s->is_out_of_memory = true;
	else if (!*at || (*at)->id.start_ticks > p->id.start_ticks)
		*at = p;
}

static void list_main(struct settling *s, struct census_process *p)
{
	uint64_t space = census_namespace(p);

	list_session(s, p, census_text(s->census, &p->session_id));
	if (!census_is_living(p))
		return;
	list_oldest(s, p, p->process->uid, space);
	list_oldest(s, p, CENSUS_ANY, space);
	list_oldest(s, p, p->process->uid, CENSUS_ANY);
	list_oldest(s, p, CENSUS_ANY, CENSUS_ANY);
}

void census_settle_sessions(struct settling *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct census_process *p = s->order[i];

		if (census_namespace(p) != CENSUS_UNTOLD) {
			const uint64_t key[2] = { census_namespace(p), p->ties->inner_pid };

			keep(s, &s->by_inner, key, p);
		}
		if (!is_session_head(p))
			continue;
		id_from_files(s, p, p->session);
		if (!p->session_id.size)
			id_from_children(s, p);
		list_main(s, p);
	}
	list_ended(s);
}

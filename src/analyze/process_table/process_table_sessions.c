/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ids of sessions: from the agent's own files, else from the environment that all children of
 * the main process share; and the tables that look up the id or pid in a marker.
 */
#include "analyze/process_table/process_table_resolving.h"

#include <string.h>

#include "analyze/process_table/process_table_lookup.h"
#include "analyze/process_table/process_evidence.h"
#include "model/field.h"

static void keep(struct resolving *s, struct map *m, const void *key, struct process_entry *p)
{
	if (!process_table_keep(m, key, p))
		s->is_out_of_memory = true;
}

/* --- keys --- */

static bool session_key(
	unsigned char key[PROCESS_TABLE_SESSION_KEY], const struct agent *agent, struct span id)
{
	uint64_t which = (uint64_t)(uintptr_t)agent;

	if (!id.size || id.size > PROCESS_TABLE_ID_MAX)
		return false;
	memset(key, 0, PROCESS_TABLE_SESSION_KEY);
	memcpy(key, &which, sizeof(which));
	memcpy(key + sizeof(which), id.data, id.size);
	return true;
}

struct process_entry *process_table_by_session(
	const struct resolving *s, const struct agent *agent, struct span id)
{
	unsigned char key[PROCESS_TABLE_SESSION_KEY];

	return session_key(key, agent, id) ? process_table_kept(&s->by_session, key) : NULL;
}

uint64_t process_table_namespace(const struct process_entry *p)
{
	return p->links && process_table_state_is_value(p->links->namespace_state)
		       ? p->links->pid_namespace
		       : PROCESS_TABLE_UNREPORTED;
}

/* --- ids --- */

static bool is_session_head(const struct process_entry *p)
{
	return p->has_role && p->main == p;
}

/* Why there is no id. */
static uint8_t no_id(const struct proc_session *session)
{
	if (!session)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	return state_is_unmeasured(session->session_state) ? session->session_state
							   : SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT);
}

static void id_from_files(
	struct resolving *s, struct process_entry *p, const struct proc_session *session)
{
	struct span id;

	p->session_state = no_id(session);
	if (!session || !process_table_state_is_value(session->session_state))
		return;
	id = process_table_field(&session->record, &session->session);
	if (!id.size || id.size > PROCESS_TABLE_ID_MAX)
		return;
	p->session_id = process_table_put(s->process_table, id);
	p->session_state = SOOTH_STATE_VALUE;
}

/* Its environment may name the session that started the main process itself. */
static bool is_inherited(const struct process_entry *main, struct span id)
{
	struct markers own;
	struct agent_markers of;

	markers_read(&own, main->links);
	of = markers_of_agent(&own, main->agent);
	for (size_t i = 0; i < of.sessions; i++) {
		if (!span_compare(of.session[i], id))
			return true;
	}
	return false;
}

/* False: its children disagree. */
static bool id_from_child(
	struct resolving *s, struct process_entry *main, const struct process_entry *child)
{
	struct markers markers;
	struct agent_markers of;

	markers_read(&markers, child->links);
	of = markers_of_agent(&markers, main->agent);
	if (!of.sessions || of.session[0].size > PROCESS_TABLE_ID_MAX ||
		is_inherited(main, of.session[0]))
		return true;
	if (main->session_id.size)
		return !span_compare(
			process_table_text(s->process_table, &main->session_id), of.session[0]);
	main->session_id = process_table_put(s->process_table, of.session[0]);
	return true;
}

/* False: they disagree. */
static bool ids_agree(
	struct resolving *s, struct process_entry *main, const struct process_entry *parent)
{
	for (struct process_entry *p = parent->first_child; p; p = p->next_sibling) {
		if (!p->agent && !id_from_child(s, main, p))
			return false;
	}
	return true;
}

/* A daemon that works for the main process starts its tool calls and has its files open. */
static void id_from_children(struct resolving *s, struct process_entry *main)
{
	bool is_agreed = ids_agree(s, main, main);

	for (struct process_entry *p = main->first_child; p; p = p->next_sibling) {
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

static void list_session(struct resolving *s, struct process_entry *p, struct span id)
{
	unsigned char key[PROCESS_TABLE_SESSION_KEY];
	struct process_entry **at;

	if (!session_key(key, p->agent, id))
		return;
	at = map_put(&s->by_session, key, NULL);
	if (!at)
		s->is_out_of_memory = true;
	/* A live process wins over an ended one; of two, the one that began the session. */
	else if (!*at || (!process_table_is_living(*at) && process_table_is_living(p)) ||
		 (process_table_is_living(*at) == process_table_is_living(p) &&
			 p->id.start_ticks < (*at)->id.start_ticks))
		*at = p;
}

static void list_ended(struct resolving *s)
{
	size_t position = 0;
	void *value;

	while (map_next(&s->process_table->processes, &position, NULL, &value)) {
		struct process_entry *p = *(struct process_entry **)value;
		struct agent_evidence evidence;

		if (p->is_there || !p->session ||
			!process_table_state_is_value(p->session->session_state))
			continue;
		evidence = process_evidence(&p->process->record);
		p->agent = agent_recognise(s->process_table->agents, &evidence, &p->match);
		if (p->agent)
			list_session(s, p,
				process_table_field(&p->session->record, &p->session->session));
	}
}

static void list_oldest(struct resolving *s, struct process_entry *p, uint64_t uid, uint64_t space)
{
	const uint64_t key[3] = { (uint64_t)(uintptr_t)p->agent, uid, space };
	struct process_entry **at = map_put(&s->oldest, key, NULL);

	if (!at)
		s->is_out_of_memory = true;
	else if (!*at || (*at)->id.start_ticks > p->id.start_ticks)
		*at = p;
}

static void list_main(struct resolving *s, struct process_entry *p)
{
	uint64_t space = process_table_namespace(p);

	list_session(s, p, process_table_text(s->process_table, &p->session_id));
	if (!process_table_is_living(p))
		return;
	if (s->main_count < PROCESS_TABLE_MAINS_MAX)
		s->mains[s->main_count++] = p;
	else
		s->has_more_mains = true;
	list_oldest(s, p, p->process->uid, space);
	list_oldest(s, p, PROCESS_TABLE_ANY, space);
	list_oldest(s, p, p->process->uid, PROCESS_TABLE_ANY);
	list_oldest(s, p, PROCESS_TABLE_ANY, PROCESS_TABLE_ANY);
}

void process_table_resolve_sessions(struct resolving *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct process_entry *p = s->order[i];

		if (process_table_namespace(p) != PROCESS_TABLE_UNREPORTED) {
			const uint64_t key[2] = { process_table_namespace(p), p->links->inner_pid };

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

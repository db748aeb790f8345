/* SPDX-License-Identifier: BSD-2-Clause */
/* Session ids: from the agent's own files, else from the environment that all children of the main
 * process share. Also the tables that find the id or PID of a marker. */
#include "analyze/process_table/process_table_sessions.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/process_table/process_table.h"
#include "analyze/process_table/process_table_resolving.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/trace_parent.h"
#include "model/field.h"

/* --- markers in the environment --- */

void markers_read(struct markers *m, const struct proc_ties *links)
{
	struct span text = span_of("", 0);
	struct cursor c;

	m->count = 0;
	m->trace = span_of("", 0);
	m->is_reported = links && ((links->markers_state & 15) == SOOTH_STATE_VALUE ||
					  (links->markers_state & 15) == SOOTH_STATE_TRUNCATED);
	if (m->is_reported)
		text = record_text(&links->record, &links->markers);
	c = cursor_over(text.data, text.size);
	while (!cursor_at_end(&c) && m->count < MARKERS_MAX) {
		struct span word = cursor_until(&c, '\0');
		struct cursor parts = cursor_over(word.data, word.size);
		struct marker *to = &m->all[m->count];

		to->name = cursor_until(&parts, '=');
		to->value = span_of((const char *)parts.at, cursor_left(&parts));
		if (span_equal(to->name, TRACE_PARENT_VARIABLE))
			m->trace = to->value;
		else
			m->count += to->name.size > 0;
	}
}

static const struct marker *markers_get(const struct markers *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++) {
		if (span_equal(m->all[i].name, name))
			return &m->all[i];
	}
	return NULL;
}

struct agent_markers markers_of_agent(const struct markers *m, const struct agent *agent)
{
	struct agent_markers of = { 0 };

	for (size_t i = 0; i < AGENT_MARKERS_MAX && agent->markers[i].name; i++) {
		const struct agent_marker *known = &agent->markers[i];
		const struct marker *marker = markers_get(m, known->name);
		uint64_t pid;

		if (!marker)
			continue;
		of.is_any = true;
		of.is_tool = of.is_tool || known->kind == AGENT_MARKER_TOOL;
		if (known->kind == AGENT_MARKER_SESSION && marker->value.size &&
			of.sessions < ARRAY_SIZE(of.session))
			of.session[of.sessions++] = marker->value;
		if (known->kind == AGENT_MARKER_PID && span_decimal(marker->value, &pid))
			of.pid = marker->value;
	}
	return of;
}

/* --- the tree of processes --- */

/* The process tree. The parent is the process that has the PID now, unless it is younger: an orphan
 * has the PID of a reaper, which is always older. Records may be wrong, so cycles are cut; nothing
 * recurses, so depth does not matter. */

#define SAY_SIZE 512
#define PUT_MAX	 256 /* bytes of one text of a target */

struct process_entry *process_table_kept(const struct map *m, const void *key)
{
	struct process_entry **at = map_get(m, key);

	return at ? *at : NULL;
}

/* Adds a pointer to a map unless the key has one already. False: out of memory. */
static bool process_table_keep(struct map *m, const void *key, struct process_entry *p)
{
	bool is_new;
	struct process_entry **at = map_put(m, key, &is_new);

	if (at && is_new)
		*at = p;
	return at != NULL;
}

struct process_entry *process_table_by_pid(const struct resolving *s, uint64_t pid)
{
	return process_table_kept(&s->by_pid, &pid);
}

struct sooth_text process_table_put(struct process_table *c, struct span text)
{
	struct sooth_text put = { .offset = (uint32_t)c->texts.size };

	put.size = (uint32_t)(text.size < PUT_MAX ? text.size : PUT_MAX);
	buffer_append(&c->texts, text.data, put.size);
	return put;
}

struct sooth_text process_table_say_list(
	struct process_table *c, const char *format, va_list arguments)
{
	char text[SAY_SIZE];
	struct sooth_text put = { .offset = (uint32_t)c->texts.size };
	int size = vsnprintf(text, sizeof(text), format, arguments);

	if (size < 0)
		return (struct sooth_text){ 0 };
	put.size = (uint32_t)((size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1);
	buffer_append(&c->texts, text, put.size);
	return put;
}

struct sooth_text process_table_say(struct process_table *c, const char *format, ...)
{
	struct sooth_text put;
	va_list arguments;

	va_start(arguments, format);
	put = process_table_say_list(c, format, arguments);
	va_end(arguments);
	return put;
}

bool process_table_is_fed(const struct process_entry *p)
{
	const struct proc_ties *t = p->links;

	return t && process_table_state_is_value(t->stream_state[0]) &&
	       (t->stream[0] == PROC_STREAM_PIPE || t->stream[0] == PROC_STREAM_SOCKET);
}

bool process_table_is_piped(const struct process_entry *p)
{
	const struct proc_ties *t = p->links;

	return process_table_is_fed(p) && process_table_state_is_value(t->stream_state[1]) &&
	       (t->stream[1] == PROC_STREAM_PIPE || t->stream[1] == PROC_STREAM_SOCKET);
}

/* Fills the table of PIDs. If two processes in a snapshot have one PID, it was reused meanwhile:
 * the younger has it. */
static int fill_pid_table(struct resolving *s)
{
	process_table_for_each (s->process_table, p) {
		struct process_entry **at = map_put(&s->by_pid, &p->id.pid, NULL);

		if (!at)
			return -ENOMEM;
		if (!*at || (*at)->id.start_ticks < p->id.start_ticks)
			*at = p;
		s->count++;
	}
	return 0;
}

static void find_parents(struct resolving *s)
{
	process_table_for_each (s->process_table, p) {
		struct process_entry *parent = process_table_by_pid(s, p->process->ppid);

		if (parent && parent != p && process_table_is_older(parent, p))
			p->parent = parent;
	}
}

/* Finds parents of ended processes, for views of starts and exits. The younger of two processes
 * with one pid is the parent. */
static int find_last_parents(struct resolving *s)
{
	const struct process_table *c = s->process_table;
	struct map by_pid;
	int status = 0;

	map_init(&by_pid, sizeof(uint64_t), sizeof(void *), (uint32_t)c->processes.count + 1);
	map_for_each_pointer (&c->processes, struct process_entry *, p) {
		struct process_entry **at = map_put(&by_pid, &p->id.pid, NULL);

		if (!at)
			status = -ENOMEM;
		else if (!*at || (*at)->id.start_ticks < p->id.start_ticks)
			*at = p;
	}
	map_for_each_pointer (&c->processes, struct process_entry *, p) {
		uint64_t ppid = p->process->ppid;
		struct process_entry *parent =
			p->is_there ? NULL : process_table_kept(&by_pid, &ppid);

		if (parent && parent != p && process_table_is_older(parent, p))
			p->last_parent = parent;
	}
	map_fini(&by_pid);
	return status;
}

enum mark { MARK_NONE, MARK_ON_WAY, MARK_DONE };

/* Cuts cycles of parents. number_end serves as a mark until the order is known. */
static void cut_cycles(struct resolving *s)
{
	process_table_for_each (s->process_table, p) {
		struct process_entry *at = p;

		while (at->number_end == MARK_NONE) {
			at->number_end = MARK_ON_WAY;
			if (!at->parent)
				break;
			if (at->parent->number_end == MARK_ON_WAY)
				at->parent = NULL;
			else
				at = at->parent;
		}
		for (at = p; at && at->number_end == MARK_ON_WAY; at = at->parent)
			at->number_end = MARK_DONE;
	}
}

/* Links children in the order of their first records: lists grow at the front, so this goes
 * backwards. */
static int link_children(struct resolving *s)
{
	struct process_entry **all = calloc(s->count + 1, sizeof(struct process_entry *));
	size_t position = 0, count = 0;
	struct process_entry *p;

	if (!all)
		return -ENOMEM;
	while ((p = process_table_next(s->process_table, &position)))
		all[count++] = p;
	while (count) {
		p = all[--count];
		if (!p->parent)
			continue;
		p->next_sibling = p->parent->first_child;
		p->parent->first_child = p;
	}
	free(all);
	return 0;
}

/* Orders the tree: down to the first child, on to the next sibling, and up after the last. */
static void put_in_order(struct resolving *s, struct process_entry *root, size_t *count)
{
	struct process_entry *at = root;

	while (at) {
		at->number = (uint32_t)*count;
		s->order[(*count)++] = at;
		if (at->first_child) {
			at = at->first_child;
			continue;
		}
		while (at != root && !at->next_sibling) {
			at->number_end = (uint32_t)*count;
			at = at->parent;
		}
		at->number_end = (uint32_t)*count;
		at = at == root ? NULL : at->next_sibling;
	}
}

int process_table_resolve_tree(struct resolving *s)
{
	size_t count = 0;
	int status = fill_pid_table(s);

	if (status)
		return status;
	find_parents(s);
	cut_cycles(s);
	status = find_last_parents(s);
	if (!status)
		status = link_children(s);
	s->order = status ? NULL : calloc(s->count + 1, sizeof(struct process_entry *));
	if (!s->order)
		return -ENOMEM;
	process_table_for_each (s->process_table, p) {
		if (!p->parent)
			put_in_order(s, p, &count);
	}
	return 0;
}

/* --- sessions --- */

static void keep_entry(struct resolving *s, struct map *m, const void *key, struct process_entry *p)
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

/* Returns why there is no id. */
static uint8_t reason_of_missing_id(const struct proc_session *session)
{
	if (!session)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	return state_is_unmeasured(session->session_state) ? session->session_state
							   : SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT);
}

static void read_session_id_from_files(
	struct resolving *s, struct process_entry *p, const struct proc_session *session)
{
	struct span id;

	p->session_state = reason_of_missing_id(session);
	if (!session || !process_table_state_is_value(session->session_state))
		return;
	id = process_table_field(&session->record, &session->session);
	if (!id.size || id.size > PROCESS_TABLE_ID_MAX)
		return;
	p->session_id = process_table_put(s->process_table, id);
	p->session_state = SOOTH_STATE_VALUE;
}

/* Returns whether the main process inherited the id: another session may have started it. */
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

/* Copies the id of a child. False: the children disagree. */
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

/* Copies the id of the children. False: they disagree. */
static bool ids_agree(
	struct resolving *s, struct process_entry *main, const struct process_entry *parent)
{
	for (struct process_entry *p = parent->first_child; p; p = p->next_sibling) {
		if (!p->agent && !id_from_child(s, main, p))
			return false;
	}
	return true;
}

/* Copies the id of children of the main process, or of the daemon that works for it. */
static void id_from_children(struct resolving *s, struct process_entry *main)
{
	bool is_agreed = ids_agree(s, main, main);

	for (struct process_entry *p = main->first_child; p; p = p->next_sibling) {
		if (p->agent != main->agent || p->role != AGENT_ROLE_DAEMON)
			continue;
		if (!main->session_id.size)
			read_session_id_from_files(s, main, p->session);
		is_agreed = is_agreed && ids_agree(s, main, p);
	}
	if (!is_agreed)
		main->session_id = (struct sooth_text){ 0 };
	main->session_state =
		main->session_id.size ? SOOTH_STATE_VALUE : reason_of_missing_id(main->session);
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
	/* A living process is preferred to an ended one, then the one that began the session. */
	else if (!*at || (!process_table_is_living(*at) && process_table_is_living(p)) ||
		 (process_table_is_living(*at) == process_table_is_living(p) &&
			 p->id.start_ticks < (*at)->id.start_ticks))
		*at = p;
}

static void list_ended(struct resolving *s)
{
	map_for_each_pointer (&s->process_table->processes, struct process_entry *, p) {
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

			keep_entry(s, &s->by_inner, key, p);
		}
		if (!is_session_head(p))
			continue;
		read_session_id_from_files(s, p, p->session);
		if (!p->session_id.size)
			id_from_children(s, p);
		list_main(s, p);
	}
	list_ended(s);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MCP servers: whether a client can still talk to them, and which are instances of the same server.
 *
 * A server lives by its standard input. It is cut off when no process has the other end, or only
 * itself and its descendants: an inherited copy keeps its own input open for ever.
 *
 * Servers with the same name, project (two checkouts of one name are two), user and agent are
 * generations if one should have replaced the other: a leftover of an ended session, or one that is
 * cut off, beside any newer; and two with the same command line in one session. Two sessions with
 * one server each are no generations.
 */
#include "analyze/process_table/process_table_resolving.h"

#include <stdlib.h>
#include <string.h>

/* --- input --- */

/* A process other than the server itself that is no leftover. */
static bool is_living_writer(const struct resolving *s, const struct process_entry *p, uint32_t pid)
{
	const struct process_entry *writer = process_table_by_pid(s, pid);

	if (!writer || process_table_is_ended(writer) || process_table_is_below(writer, p))
		return false;
	return !writer->is_main_gone || writer->main == writer;
}

static void diagnose_writers(const struct resolving *s, struct process_entry *p)
{
	struct span writers = process_table_field(&p->links->record, &p->links->writers);

	p->input = PROCESS_TABLE_INPUT_OWN;
	for (size_t i = 0; i + sizeof(uint32_t) <= writers.size; i += sizeof(uint32_t)) {
		uint32_t pid;

		memcpy(&pid, writers.data + i, sizeof(pid));
		if (is_living_writer(s, p, pid))
			p->input = PROCESS_TABLE_INPUT_HELD;
	}
}

static void diagnose_input(const struct resolving *s, struct process_entry *p)
{
	const struct proc_ties *t = p->links;

	if (!process_table_is_fed(p))
		return;
	if (!process_table_state_is_value(t->writer_state)) {
		p->input = PROCESS_TABLE_INPUT_UNKNOWN;
		p->input_state = t->writer_state;
	} else if (!t->has_writer) {
		p->input = PROCESS_TABLE_INPUT_CLOSED;
	} else if (process_table_state_is_value(t->writers_state) && t->writers.size) {
		diagnose_writers(s, p);
	} else if (p->main && p->link == PROCESS_LINK_ANCESTOR) {
		p->input = PROCESS_TABLE_INPUT_HELD; /* another process that is alive */
	} else if (process_table_state_is_value(t->writers_state)) {
		p->input = PROCESS_TABLE_INPUT_UNKNOWN; /* it has a writer, but none was found */
		p->input_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	} else {
		p->input = PROCESS_TABLE_INPUT_UNKNOWN;
		p->input_state = t->writers_state;
	}
}

/* npx and the server that it runs share one input; children of a server have their own. */
static bool has_servers_input(const struct process_entry *p)
{
	const struct proc_ties *own = p->links, *players = p->player->links;

	return p->player == p ||
	       (own && players && process_table_is_fed(p) && process_table_is_fed(p->player) &&
		       own->stream_inode[0] == players->stream_inode[0]);
}

static bool is_server(const struct process_entry *p)
{
	return p->has_role && p->role == AGENT_ROLE_MCP && p->process->state != 'Z';
}

/* --- generations --- */

struct server {
	struct process_entry *p;
	struct span name, project, place, arguments;
	const struct agent *agent;
	bool is_stale; /* without a client */
};

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* The same server for the same project. */
static int compare_kind(const struct server *a, const struct server *b)
{
	int order = span_compare(a->name, b->name);

	if (!order)
		order = span_compare(a->project, b->project);
	if (!order)
		order = span_compare(a->place, b->place);
	if (!order)
		order = compare_numbers(a->p->process->uid, b->p->process->uid);
	if (!order)
		order = compare_numbers((uintptr_t)a->agent, (uintptr_t)b->agent);
	return order;
}

static int compare_age(const struct server *a, const struct server *b)
{
	int order = compare_numbers(a->p->id.start_ticks, b->p->id.start_ticks);

	return order ? order : compare_numbers(a->p->id.pid, b->p->id.pid);
}

static int by_age(const void *a, const void *b)
{
	int order = compare_kind(a, b);

	return order ? order : compare_age(a, b);
}

/* Within a session, and there only with the same command line. */
static int compare_session(const struct server *a, const struct server *b)
{
	int order = compare_numbers((uintptr_t)a->p->main, (uintptr_t)b->p->main);

	return order ? order : span_compare(a->arguments, b->arguments);
}

static int by_session(const void *a, const void *b)
{
	const struct server *x = a, *y = b;
	int order = compare_kind(x, y);

	if (!order)
		order = compare_numbers(x->is_stale, y->is_stale);
	if (!order && !x->is_stale)
		order = compare_session(x, y);
	return order ? order : compare_age(x, y);
}

static void number_stale(struct server *group, size_t count)
{
	struct process_entry *newer = NULL;
	uint32_t stale = 0;

	for (size_t i = 0; i < count; i++) {
		/* For those in use, for now: the number of older stale ones. */
		group[i].p->generation = stale;
		stale += group[i].is_stale;
	}
	for (size_t i = count; i-- > 0; newer = group[i].p) {
		struct process_entry *p = group[i].p;

		p->generations = stale;
		if (!group[i].is_stale)
			continue;
		p->generation = (uint32_t)i + 1;
		p->generations = (uint32_t)count;
		p->newer = newer;
	}
}

/* Those in use, in runs of one session and command line. */
static void number_needed(struct server *group, size_t count)
{
	for (size_t from = 0, end; from < count; from = end) {
		end = from + 1;
		if (group[from].is_stale)
			continue;
		while (end < count && !group[end].is_stale &&
			!compare_session(&group[from], &group[end]))
			end++;
		for (size_t i = from; i < end; i++) {
			struct process_entry *p = group[i].p;

			p->generation += (uint32_t)(i - from) + 1;
			p->generations += (uint32_t)(end - from);
			p->newer = i + 1 < end ? group[i + 1].p : NULL;
		}
	}
}

static void for_groups(struct server *all, size_t count, void (*number)(struct server *, size_t))
{
	for (size_t from = 0, end; from < count; from = end) {
		end = from + 1;
		while (end < count && !compare_kind(&all[from], &all[end]))
			end++;
		number(all + from, end - from);
	}
}

static void add_server(
	const struct resolving *s, struct server *all, size_t *count, struct process_entry *p)
{
	struct span name = process_table_text(s->process_table, &p->role_name);

	if (p->player != p || !name.size)
		return;
	all[(*count)++] = (struct server){ .p = p,
		.name = name,
		.project = process_table_text(s->process_table, &p->project),
		.place = process_table_text(s->process_table, &p->place),
		.arguments = process_table_arguments(p),
		.agent = p->owner_agent,
		.is_stale = p->is_main_gone || p->input == PROCESS_TABLE_INPUT_CLOSED ||
			    p->input == PROCESS_TABLE_INPUT_OWN };
}

void process_table_resolve_servers(struct resolving *s)
{
	struct server *all = calloc(s->count + 1, sizeof(*all));
	size_t count = 0;

	for (size_t i = 0; i < s->count; i++) {
		struct process_entry *p = s->order[i];

		if (!is_server(p))
			continue;
		if (has_servers_input(p))
			diagnose_input(s, p);
		if (all)
			add_server(s, all, &count, p);
	}
	if (!all) {
		s->is_out_of_memory = true;
		return;
	}
	qsort(all, count, sizeof(*all), by_age);
	for_groups(all, count, number_stale);
	qsort(all, count, sizeof(*all), by_session);
	for_groups(all, count, number_needed);
	free(all);
}

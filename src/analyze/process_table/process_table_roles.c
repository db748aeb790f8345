/* SPDX-License-Identifier: BSD-2-Clause */
/* The role of each process in its session, and its MCP servers. A child of the main process (or of
 * its launcher or daemon) gets its role from the agent's table, else by place: with its own process
 * session it is a tool call; with pipes, in the main process's session, it is an MCP server.
 * Descendants share its role. The place of a process that was cut off from its session is only
 * partly known: markers and names decide, or it has no role. */
#include <stdlib.h>
#include <string.h>

#include "analyze/process_table/process_table_resolving.h"
#include "analyze/process_table/server_name.h"
#include "base/cleanup.h"
#include "base/order.h"
#include "recognize/agent_path.h"

/* --- servers --- */

/*
 * MCP servers: whether a client can still reach them, and which are instances of the same server.
 *
 * A server lives by its standard input. It is cut off if no process has the other end, or only the
 * server and its descendants: an inherited copy keeps the input open for ever.
 *
 * Servers with the same name, project (two checkouts with one name differ), user and agent are
 * generations if one should have replaced the other: a stale server (leftover or cut off) beside a
 * newer one, or two with the same command line in one session. Two sessions with one server each
 * are no generations.
 */

/* --- input --- */

/* Returns whether the writer is a living process outside of the server, and no leftover. */
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
		p->input = PROCESS_TABLE_INPUT_HELD; /* another living process */
	} else if (process_table_state_is_value(t->writers_state)) {
		p->input =
			PROCESS_TABLE_INPUT_UNKNOWN; /* there is a writer, but it was not found */
		p->input_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	} else {
		p->input = PROCESS_TABLE_INPUT_UNKNOWN;
		p->input_state = t->writers_state;
	}
}

/* Returns whether the process has its server's input: npx shares it with the server that it
 * runs. */
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
	bool is_stale; /* no client can reach it */
};

/* Compares server and project. */
static int compare_kind(const struct server *a, const struct server *b)
{
	int order = span_compare(a->name, b->name);

	order = order ?: span_compare(a->project, b->project);
	order = order ?: span_compare(a->place, b->place);
	order = order ?: smaller_first(a->p->process->uid, b->p->process->uid);
	return order ?: smaller_first((uintptr_t)a->agent, (uintptr_t)b->agent);
}

static int compare_age(const struct server *a, const struct server *b)
{
	return smaller_first(a->p->id.start_ticks, b->p->id.start_ticks)
		       ?: smaller_first(a->p->id.pid, b->p->id.pid);
}

static int compare_by_age(const void *a, const void *b)
{
	return compare_kind(a, b) ?: compare_age(a, b);
}

/* Compares sessions, then command lines. */
static int compare_session(const struct server *a, const struct server *b)
{
	return smaller_first((uintptr_t)a->p->main, (uintptr_t)b->p->main)
		       ?: span_compare(a->arguments, b->arguments);
}

static int compare_by_session(const void *a, const void *b)
{
	const struct server *x = a, *y = b;
	int order = compare_kind(x, y) ?: smaller_first(x->is_stale, y->is_stale);

	if (!order && !x->is_stale)
		order = compare_session(x, y);
	return order ?: compare_age(x, y);
}

static void number_stale_servers(struct server *group, size_t count)
{
	struct process_entry *newer = NULL;
	uint32_t stale = 0;

	for (size_t i = 0; i < count; i++) {
		/* Servers in use: for now, the number of older stale ones. */
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

/* Numbers the servers in use, for each session and command line. */
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

static void for_each_group(
	struct server *all, size_t count, void (*number)(struct server *, size_t))
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
	qsort(all, count, sizeof(*all), compare_by_age);
	for_each_group(all, count, number_stale_servers);
	qsort(all, count, sizeof(*all), compare_by_session);
	for_each_group(all, count, number_needed);
	free(all);
}

/* --- roles --- */

struct time_range {
	const struct process_entry *p;
	struct markers markers; /* markers that the main process does not have */
	enum agent_place place; /* AGENT_PLACE_ANY: unknown */
	bool is_piped;
	struct server_name name;
};

static struct server_name name_of(const struct process_entry *p)
{
	const struct sooth_record *r = &p->process->record;
	const struct server_command command = {
		.executable = process_table_field(r, &p->process->executable),
		.arguments = process_table_arguments(p),
		.package = process_table_field(r, &p->process->package),
	};

	return server_name(&command);
}

/* --- known facts --- */

/* Returns whether the process has its own process session (setsid) or the agent's. If the agent is
 * gone and the session leader is another living process without the agent's markers, the leader is
 * the user's shell, and the session was the agent's. */
static enum agent_place place_of(const struct resolving *s, const struct process_entry *p)
{
	const struct process_entry *head = p->parent, *leader;

	if (p->process->session == p->id.pid)
		return AGENT_PLACE_OWN;
	if (!head || !process_table_is_head(head))
		head = p->main;
	if (head)
		return p->process->session == head->process->session ? AGENT_PLACE_SAME
								     : AGENT_PLACE_OWN;
	leader = process_table_by_pid(s, p->process->session);
	if (!leader || !process_table_is_older(leader, p))
		return AGENT_PLACE_ANY;
	/* The leader is the main process, now a zombie. */
	if (process_table_is_head(leader))
		return AGENT_PLACE_SAME;
	return leader->owner_agent == p->owner_agent ? AGENT_PLACE_OWN : AGENT_PLACE_SAME;
}

static bool markers_have(const struct markers *m, const struct marker *marker)
{
	for (size_t i = 0; i < m->count; i++) {
		if (!span_compare(m->all[i].name, marker->name) &&
			!span_compare(m->all[i].value, marker->value))
			return true;
	}
	return false;
}

/* Drops inherited markers: `others` has them with the same value. */
static void markers_without(struct markers *m, const struct markers *others)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->count; i++) {
		if (!markers_have(others, &m->all[i]))
			m->all[kept++] = m->all[i];
	}
	m->count = kept;
}

static bool markers_have_name(const struct markers *m, struct span name)
{
	for (size_t i = 0; i < m->count; i++) {
		if (!span_compare(m->all[i].name, name))
			return true;
	}
	return false;
}

/* Returns whether all, or none, of the blank-separated names are present. */
static bool markers_have_each(const struct markers *m, const char *names, bool is_there)
{
	struct cursor c = cursor_over(names, strlen(names));

	while (!cursor_at_end(&c)) {
		if (markers_have_name(m, cursor_until(&c, ' ')) != is_there)
			return false;
	}
	return true;
}

static struct time_range markers_and_place_of(
	const struct resolving *s, const struct process_entry *p)
{
	struct time_range part = { .p = p,
		.place = place_of(s, p),
		.is_piped = process_table_is_piped(p),
		.name = name_of(p) };
	struct markers mains;

	markers_read(&part.markers, p->links);
	if (p->main && p->main->links) {
		markers_read(&mains, p->main->links);
		markers_without(&part.markers, &mains);
	}
	return part;
}

/* --- rules --- */

/* Returns whether its standard error is a pipe or socket. */
static bool is_error_output_read(const struct process_entry *p)
{
	return p->links && (p->links->stream[2] == PROC_STREAM_PIPE ||
				   p->links->stream[2] == PROC_STREAM_SOCKET);
}

static bool fits_child(const struct agent_child *child, const struct time_range *part)
{
	if (child->place != AGENT_PLACE_ANY && part->place != AGENT_PLACE_ANY &&
		child->place != part->place)
		return false;
	if ((child->is_piped && !part->is_piped) ||
		(child->is_heard && !is_error_output_read(part->p)))
		return false;
	if (child->arguments &&
		!agent_path_arguments(child->arguments, process_table_arguments(part->p)))
		return false;
	return markers_have_each(&part->markers, child->has, true) &&
	       (!child->lacks || markers_have_each(&part->markers, child->lacks, false));
}

static bool role_by_agent(const struct time_range *part, enum agent_role *role)
{
	const struct agent *agent = part->p->owner_agent;

	if (!agent || !part->markers.is_reported)
		return false;
	for (size_t i = 0; i < AGENT_CHILDREN_MAX && agent->children[i].has; i++) {
		if (fits_child(&agent->children[i], part)) {
			*role = agent->children[i].role;
			return true;
		}
	}
	return false;
}

/* Finds the role of a program in program_roles.def. */
static bool program_role(struct span name, enum agent_role *role)
{
#define PROGRAM_ROLE(name_, role_) { name_, AGENT_ROLE_##role_ },
	static const struct {
		const char *name;
		enum agent_role role;
	} rows[] = {
#include "analyze/process_table/program_roles.def"
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (span_equal(name, rows[i].name)) {
			*role = rows[i].role;
			return true;
		}
	}
	return false;
}

/* Returns the role of a process with pipes: a program known by its name, else an MCP server. */
static enum agent_role piped_role(const struct time_range *part)
{
	enum agent_role role;

	return program_role(part->name.name, &role) ? role : AGENT_ROLE_MCP;
}

static bool is_state_refused(uint8_t state)
{
	return state == SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
}

/* Returns whether an unreadable environment might give the process another role. */
static bool may_be_another(const struct time_range *part, enum agent_role role)
{
	const struct agent *agent = part->p->owner_agent;

	if (!agent || !part->p->links || !is_state_refused(part->p->links->markers_state))
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

/* Returns whether the evidence of the role is unreadable. A helper must be known to have no
 * pipe. */
static bool is_role_unreadable(const struct time_range *part, enum agent_role role)
{
	const struct proc_ties *t = part->p->links;

	return may_be_another(part, role) || (t && part->place != AGENT_PLACE_OWN &&
						     (is_state_refused(t->stream_state[0]) ||
							     is_state_refused(t->stream_state[1])));
}

static bool role_by_place(const struct time_range *part, enum agent_role *role)
{
	if (markers_of_agent(&part->markers, part->p->owner_agent).is_tool)
		*role = AGENT_ROLE_TOOL;
	else if (part->place == AGENT_PLACE_OWN)
		*role = AGENT_ROLE_TOOL;
	else if (!part->p->links) /* an older capture has no streams */
		return false;
	else if (part->place == AGENT_PLACE_SAME)
		*role = part->is_piped ? piped_role(part) : AGENT_ROLE_HELPER;
	else if (part->is_piped && part->p->links->stream[0] == part->p->links->stream[1])
		*role = piped_role(part); /* agents run the parts of a tool call with /dev/null */
	else
		*role = AGENT_ROLE_TOOL;
	return true;
}

/* --- assign roles --- */

static void set_role(struct process_entry *p, enum agent_role role, struct process_entry *player)
{
	p->has_role = true;
	p->role = role;
	p->player = player;
	p->role_name = player->role_name;
}

static void set_own_role(
	struct resolving *s, struct process_entry *p, enum agent_role role, struct span name)
{
	if (role == AGENT_ROLE_MCP || role == AGENT_ROLE_LANGUAGE_SERVER)
		p->role_name = process_table_put(s->process_table, name);
	set_role(p, role, p);
}

/* Finds a process without a known session that looks like an MCP server by name and streams. */
static void find_detached(struct resolving *s, struct process_entry *p)
{
	struct server_name name;

	if (!process_table_is_fed(p))
		return;
	if (p->parent && p->parent->has_role && p->parent->role == AGENT_ROLE_MCP &&
		!p->parent->owner_agent) {
		set_role(p, AGENT_ROLE_MCP, p->parent->player);
		return;
	}
	name = name_of(p);
	if (server_name_is_mcp(&name))
		set_own_role(s, p, AGENT_ROLE_MCP, name.name);
}

static void find_role(struct resolving *s, struct process_entry *p)
{
	struct process_entry *parent = p->parent;
	enum agent_role role;
	struct time_range part;
	bool is_known;

	if (parent && p->linked != p && parent->has_role && !process_table_is_head(parent)) {
		set_role(p, parent->role, parent->player);
		return;
	}
	if (parent && p->linked != p && !process_table_is_head(parent)) {
		p->role_state = parent->role_state; /* inherited, like the role */
		return;
	}
	part = markers_and_place_of(s, p);
	is_known = role_by_agent(&part, &role);
	if (!is_known && role_by_place(&part, &role)) {
		is_known = !is_role_unreadable(&part, role);
		p->role_state = is_known ? 0 : SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	}
	if (is_known)
		set_own_role(s, p, role, part.name.name);
}

void process_table_resolve_roles(struct resolving *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct process_entry *p = s->order[i];

		if (p->has_role && p->role == AGENT_ROLE_MCP)
			p->role_name = process_table_put(s->process_table, name_of(p).name);
		else if (!p->has_role && p->owner_agent)
			find_role(s, p);
		else if (!p->has_role)
			find_detached(s, p);
	}
}

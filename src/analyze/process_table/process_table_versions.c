/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that are agents, and the installed versions of agents: as recorded, or by the
 * processes that run from a folder of versions. A version that merely runs (npx, a private build)
 * is not installed. */
#include "analyze/process_table/process_table_versions.h"

#include <assert.h>
#include <string.h>

#include "base/order.h"
#include "recognize/script.h"
#include "analyze/process_table/process_table.h"
#include "analyze/process_table/process_table_resolving.h"
#include "base/cursor.h"
#include "base/hash.h"

/* --- agents --- */

/* Decides which processes are agents, and which of those begin a session. Running an agent's
 * program is not enough: an agent forks before it execs another program, searches with its own
 * executable under another name, serves another agent over pipes, or has a launcher that runs the
 * same script. */

#define DAEMONS_MAX 64 /* most programs whose daemons are joined */
#define LAUNCHER_STEPS                                                                             \
	4 /* at most so many processes between a launcher and its main process, plus one */

const struct agent *process_table_agent_next(const struct process_table *c, size_t *position)
{
	return agent_set_next(c->agents, position);
}

/* Recognizes agents. The collector already ruled out most processes by the same rules, with more
 * evidence than it records. */
static void recognise_agent(const struct process_table *c, struct process_entry *p)
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

/* Returns whether it runs as another program, such as "rg", which is built into Claude Code. */
static bool is_other_program(const struct process_entry *p)
{
	struct span name = started_as(p);

	return name.size && p->agent->other_names && span_is_word_of(name, p->agent->other_names);
}

/* Returns whether it serves the process at its input: "codex mcp-server", "claude mcp serve". */
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

/* Returns whether it is an unchanged copy of its parent, as a child between fork and exec, which
 * has one thread. A copy with several was started: Qwen Code starts itself with the same arguments.
 */
static bool is_fork_of(const struct process_entry *p, const struct process_entry *parent)
{
	return p->process->threads <= 1 &&
	       !span_compare(process_table_arguments(p), process_table_arguments(parent)) &&
	       !span_compare(process_table_field(&p->process->record, &p->process->executable),
		       process_table_field(&parent->process->record, &parent->process->executable));
}

/* Returns whether it has a session, in use or not. */
static bool has_session(const struct process_entry *p)
{
	return p->session && process_table_state_is_value(p->session->session_state);
}

/* Returns whether its session is only kept ready, by its own word. */
static bool is_unused(const struct process_entry *p)
{
	return has_session(p) &&
	       span_equal(process_table_field(&p->session->record, &p->session->status), "spare");
}

static bool is_agent_used(const struct process_entry *p)
{
	return has_session(p) && !is_unused(p);
}

static void set_own_role(struct process_entry *p, enum agent_role role)
{
	p->has_role = true;
	p->role = role;
	p->player = p;
}

static void begin_own_session(struct process_entry *p)
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
		set_own_role(parent, AGENT_ROLE_LAUNCHER);
		if (!p->match.version.size) /* a title covers the script, which is the same */
			p->match.version = parent->match.version;
		return AGENT_ROLE_MAIN;
	}
	/* A conversation that an agent starts for itself has its own process session. */
	return p->process->session == parent->process->session ? AGENT_ROLE_HELPER
							       : AGENT_ROLE_MAIN;
}

static void set_agent_place(struct process_entry *p)
{
	struct process_entry *parent = p->parent;
	enum agent_role role = p->match.role;

	if ((role == AGENT_ROLE_MAIN && is_unused(p)) ||
		(role == AGENT_ROLE_SPARE && is_agent_used(p)))
		role = role == AGENT_ROLE_MAIN ? AGENT_ROLE_SPARE : AGENT_ROLE_MAIN;
	if (role == AGENT_ROLE_MAIN && is_other_program(p))
		role = AGENT_ROLE_HELPER;
	else if (role != AGENT_ROLE_HELPER && is_served_by(p))
		role = AGENT_ROLE_MCP;
	else if (role == AGENT_ROLE_MAIN && parent && parent->agent == p->agent &&
		 parent->role == AGENT_ROLE_MAIN && parent->has_role)
		role = role_below_its_like(p);
	set_own_role(p, role);
	if (role == AGENT_ROLE_MAIN || role == AGENT_ROLE_DAEMON || role == AGENT_ROLE_LAUNCHER)
		begin_own_session(p);
}

/* Returns whether a daemon has an ancestor that is a main process of its agent. */
static bool has_session_above(const struct process_entry *p)
{
	const struct process_entry *above = p->parent;

	for (int i = 0; above && i < LAUNCHER_STEPS; i++, above = above->parent) {
		if (above->agent == p->agent && above->link == PROCESS_LINK_SELF)
			return true;
	}
	return false;
}

static void set_session(struct process_entry *p, struct process_entry *main, enum process_link link)
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
			set_session(above, p, PROCESS_LINK_LAUNCHED);
	}
}

/* Joins daemons of one program: the oldest does the work, because it started first. */
static void join_daemon(struct process_entry **oldest, size_t *count, struct process_entry *p)
{
	struct span executable = process_table_field(&p->process->record, &p->process->executable);

	for (size_t i = 0; i < *count; i++) {
		struct span other = process_table_field(
			&oldest[i]->process->record, &oldest[i]->process->executable);

		if (oldest[i]->agent == p->agent && executable.size &&
			oldest[i]->process->uid == p->process->uid &&
			!span_compare(other, executable) && process_table_is_older(oldest[i], p)) {
			set_session(p, oldest[i], PROCESS_LINK_KIND);
			return;
		}
	}
	if (*count < DAEMONS_MAX)
		oldest[(*count)++] = p;
}

/* Adds a process that could not be read in time (busy host, dead mount): it may be an agent. */
static void add_unread_process(struct resolving *s, const struct process_entry *p)
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

		recognise_agent(s->process_table, p);
		if (p->agent)
			set_agent_place(p);
		else
			add_unread_process(s, p);
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
			set_session(p, NULL, PROCESS_LINK_NONE); /* like any other descendant */
		else
			join_daemon(daemons, &daemon_count, p);
	}
}

/* --- versions --- */

static int compare_digits(struct span a, struct span b)
{
	while (a.size && a.data[0] == '0')
		a = span_of(a.data + 1, a.size - 1);
	while (b.size && b.data[0] == '0')
		b = span_of(b.data + 1, b.size - 1);
	return smaller_first(a.size, b.size) ?: span_compare(a, b);
}

/* Returns the next part from the front: digits, or no digits and dots; skips a dot between
 * parts. */
static struct span next_part(struct span *rest)
{
	size_t size = 0;
	struct span part;

	if (rest->size && rest->data[0] == '.')
		*rest = span_of(rest->data + 1, rest->size - 1);
	while (size < rest->size && rest->data[size] >= '0' && rest->data[size] <= '9')
		size++;
	if (!size)
		while (size < rest->size && rest->data[size] != '.' &&
			(rest->data[size] < '0' || rest->data[size] > '9'))
			size++;
	part = span_of(rest->data, size);
	*rest = span_of(rest->data + size, rest->size - size);
	return part;
}

static bool is_number(struct span part)
{
	return part.size && part.data[0] >= '0' && part.data[0] <= '9';
}

/* Compares the rest: 2.1 equals 2.1.0; "2.1.0-rc" is older, as in npm; "2.1.0b" is newer. */
static int compare_end(struct span left)
{
	while (left.size) {
		struct span part = next_part(&left);

		if (!part.size)
			continue;
		if (!is_number(part))
			return part.data[0] == '-' ? -1 : 1;
		if (compare_digits(part, span_of("", 0)))
			return 1;
	}
	return 0;
}

static struct span without_build(struct span version)
{
	const char *plus = version.size ? memchr(version.data, '+', version.size) : NULL;

	if (plus)
		version.size = (size_t)(plus - version.data);
	return version;
}

int version_compare(struct span a, struct span b)
{
	a = without_build(a);
	b = without_build(b);
	while (a.size && b.size) {
		struct span x = next_part(&a), y = next_part(&b);
		int order;

		if (is_number(x) && is_number(y))
			order = compare_digits(x, y);
		else if (is_number(x) != is_number(y)) /* as in 2.1.1 and 2.1-rc */
			order = is_number(x) ? 1 : -1;
		else
			order = span_compare(x, y);
		if (order)
			return order < 0 ? -1 : 1;
	}
	return a.size ? compare_end(a) : -compare_end(b);
}

struct span process_table_version(const struct process_entry *p)
{
	assert(p);
	if (p->match.version.size)
		return p->match.version;
	if (p->session && process_table_state_is_value(p->session->version_state))
		return process_table_field(&p->session->record, &p->session->version);
	return span_of("", 0);
}

/* --- the newest --- */

/* Stands for a PID namespace: the folder was searched for versions. */
#define SEARCHED UINT64_MAX

/* Returns 0, or a PID namespace other than the caller's, where installed versions are recorded. */
static uint64_t foreign_namespace_of(const struct process_entry *p)
{
	bool is_inner = p->links && process_table_namespace(p) != PROCESS_TABLE_UNREPORTED &&
			p->links->inner_pid != p->id.pid;

	return is_inner ? p->links->pid_namespace : 0;
}

/* Hashes of the folder of versions and of a version in it, larger than any uid; zeros: the path is
 * in no such folder. */
struct place {
	uint64_t folder, entry;
};

static struct place place_of(const struct agent *agent, struct span path)
{
	struct span below = agent->versions ? path_below(path, agent->versions) : span_of("", 0);
	struct cursor rest = cursor_over(below.data, below.size);
	struct span name = cursor_until(&rest, '/');
	size_t folder;

	if (!below.size)
		return (struct place){ 0 };
	folder = (size_t)(below.data - path.data);
	return (struct place){ hash_bytes(HASH_BEGIN, path.data, folder) | 1ull << 63,
		hash_bytes(HASH_BEGIN, path.data, folder + name.size) | 1ull << 63 };
}

static struct place place_of_process(const struct process_entry *p)
{
	if (!p->agent || !process_table_state_is_value(p->process->executable_state))
		return (struct place){ 0 };
	return place_of(
		p->agent, process_table_field(&p->process->record, &p->process->executable));
}

/* Returns the folder that the version is installed in; 0: none, or removed. */
static uint64_t folder_of(const struct process_entry *p)
{
	return p->process->is_deleted ? 0 : place_of_process(p).folder;
}

/* Keeps the newest version of an owner: a user, or a folder. */
static void keep_newest(struct resolving *s, const struct agent *agent, uint64_t owner,
	uint64_t world, struct sooth_text version)
{
	const uint64_t key[3] = { (uint64_t)(uintptr_t)agent, owner, world };
	struct sooth_text *newest;
	bool is_new;

	newest = map_put(&s->process_table->newest, key, &is_new);
	if (!newest) /* the table is full: unknown */
		return;
	if (is_new || version_compare(process_table_text(s->process_table, newest),
			      process_table_text(s->process_table, &version)) < 0)
		*newest = version;
}

static struct span newest_of(
	const struct process_table *c, const struct agent *agent, uint64_t owner, uint64_t world)
{
	const uint64_t key[3] = { (uint64_t)(uintptr_t)agent, owner, world };
	const struct sooth_text *newest = map_get(&c->newest, key);

	return newest ? process_table_text(c, newest) : span_of("", 0);
}

static struct span newer_version(struct span a, struct span b)
{
	if (!a.size || !b.size)
		return a.size ? a : b;
	return version_compare(a, b) < 0 ? b : a;
}

/* Returns whether the place of installation was searched for versions: not in a container, nor in a
 * home of another user. With other mounts the same path leads elsewhere, so the running version
 * must be among those that were found. */
bool process_table_is_searched(const struct process_table *c, const struct process_entry *p)
{
	assert(p);

	struct place place = place_of_process(p);
	uint64_t seen = p->process->is_deleted ? place.folder : place.entry;

	if (foreign_namespace_of(p))
		return false;
	return !seen || newest_of(c, p->agent, seen, SEARCHED).size;
}

bool process_table_is_unread(const struct process_table *c, const struct process_entry *p)
{
	return !foreign_namespace_of(p) && (newest_of(c, NULL, p->process->uid, 0).size ||
						   newest_of(c, NULL, UINT32_MAX, 0).size);
}

struct span verdict_newest(const struct process_table *c, const struct agent *agent, uint32_t uid)
{
	return newer_version(newest_of(c, agent, uid, 0), newest_of(c, agent, UINT32_MAX, 0));
}

struct span process_table_newest(const struct process_table *c, const struct process_entry *p)
{
	assert(p);

	uint64_t world = foreign_namespace_of(p), folder = folder_of(p);
	struct span newest = span_of("", 0);

	if (p->agent && !world)
		newest = verdict_newest(c, p->agent, p->process->uid);
	return folder ? newer_version(newest, newest_of(c, p->agent, folder, world)) : newest;
}

static const struct agent *agent_named(const struct resolving *s, struct span name)
{
	const struct agent *agent;
	size_t position = 0;

	while ((agent = process_table_agent_next(s->process_table, &position))) {
		if (span_equal(name, agent->name))
			return agent;
	}
	return NULL;
}

/* Notes a home that could not be read, as a version of no agent. */
static void add_unread_home(struct resolving *s, const struct proc_installed *r)
{
	const uint64_t key[3] = { 0, r->uid, 0 };
	struct sooth_text *home = map_put(&s->process_table->newest, key, NULL);

	if (home)
		*home = process_table_put(s->process_table, span_of("?", r->is_unread != 0));
}

static void add_installed_version(struct resolving *s, const struct proc_installed *r)
{
	struct process_table_installed installed = {
		.agent = agent_named(s, process_table_field(&r->record, &r->agent)), .uid = r->uid
	};
	struct span version = process_table_field(&r->record, &r->version);
	struct place place;

	if (!version.size && !r->agent.size)
		add_unread_home(s, r);
	if (!installed.agent || !version.size)
		return;
	installed.version = process_table_put(s->process_table, version);
	installed.path =
		process_table_put(s->process_table, process_table_field(&r->record, &r->path));
	buffer_append(&s->process_table->installed, &installed, sizeof(installed));
	keep_newest(s, installed.agent, installed.uid, 0, installed.version);
	place = place_of(installed.agent, process_table_text(s->process_table, &installed.path));
	if (!place.folder)
		return;
	keep_newest(s, installed.agent, place.folder, 0, installed.version);
	keep_newest(s, installed.agent, place.folder, SEARCHED, installed.version);
	keep_newest(s, installed.agent, place.entry, SEARCHED, installed.version);
}

void process_table_resolve_versions(struct resolving *s)
{
	const struct batch batch = { s->process_table->installed_records.data,
		s->process_table->installed_records.size };

	batch_for_each (r, &batch)
		add_installed_version(s, (const struct proc_installed *)r);
	for (size_t i = 0; i < s->count; i++) {
		const struct process_entry *p = s->order[i];
		uint64_t folder = folder_of(p);

		if (folder && p->match.version.size)
			keep_newest(s, p->agent, folder, foreign_namespace_of(p),
				process_table_put(s->process_table, p->match.version));
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The installed versions of agents: as recorded; and for a folder of versions, by the processes
 * that run from it. A version that merely runs (npx, a private build) is not installed.
 */
#include "analyze/process_table/process_table_resolving.h"

#include <string.h>

#include "analyze/process_table/process_table_lookup.h"
#include "analyze/process_table/process_table_versions.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "agents/script.h"

static int compare_digits(struct span a, struct span b)
{
	while (a.size && a.data[0] == '0')
		a = span_of(a.data + 1, a.size - 1);
	while (b.size && b.data[0] == '0')
		b = span_of(b.data + 1, b.size - 1);
	if (a.size != b.size)
		return a.size < b.size ? -1 : 1;
	return span_compare(a, b);
}

/* Digits, or anything but digits and dots, from the front; a dot between is dropped. */
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

/* 2.1 equals 2.1.0; "2.1.0-rc" is older, as in npm; "2.1.0b" is newer. */
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
		else if (is_number(x) != is_number(y)) /* 2.1.1 and 2.1-rc */
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
	if (p->match.version.size)
		return p->match.version;
	if (p->session && process_table_state_is_value(p->session->version_state))
		return process_table_field(&p->session->record, &p->session->version);
	return span_of("", 0);
}

/* --- the newest --- */

/* In place of a pid namespace: a folder that was searched for versions. */
#define SEARCHED UINT64_MAX

/*
 * 0, or a pid namespace other than the caller's; installed versions are recorded in the caller's.
 */
static uint64_t world_of(const struct process_entry *p)
{
	bool is_inner = p->links && process_table_namespace(p) != PROCESS_TABLE_UNREPORTED &&
			p->links->inner_pid != p->id.pid;

	return is_inner ? p->links->pid_namespace : 0;
}

/*
 * Hashes of the folder of versions and of the version in it, larger than any uid; zeros: the path
 * is in no such folder.
 */
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

/* The folder that its version is installed in; 0: none, or removed. */
static uint64_t folder_of(const struct process_entry *p)
{
	return p->process->is_deleted ? 0 : place_of_process(p).folder;
}

/* `owner`: a user, or a folder. */
static void keep_newest(struct resolving *s, const struct agent *agent, uint64_t owner,
	uint64_t world, struct sooth_text version)
{
	const uint64_t key[3] = { (uint64_t)(uintptr_t)agent, owner, world };
	struct sooth_text *newest;
	bool is_new;

	newest = map_put(&s->process_table->newest, key, &is_new);
	if (!newest) /* more users and agents than there is room for: unknown */
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

static struct span newer(struct span a, struct span b)
{
	if (!a.size || !b.size)
		return a.size ? a : b;
	return version_compare(a, b) < 0 ? b : a;
}

/*
 * Whether its place of installation was searched for versions: not so in a container, nor in a home
 * that is not its user's. With other mounts the same path leads elsewhere: the running version must
 * be among those that were found.
 */
bool process_table_is_searched(const struct process_table *c, const struct process_entry *p)
{
	struct place place = place_of_process(p);
	uint64_t seen = p->process->is_deleted ? place.folder : place.entry;

	if (world_of(p))
		return false;
	return !seen || newest_of(c, p->agent, seen, SEARCHED).size;
}

struct span verdict_newest(const struct process_table *c, const struct agent *agent, uint32_t uid)
{
	return newer(newest_of(c, agent, uid, 0), newest_of(c, agent, UINT32_MAX, 0));
}

struct span process_table_newest(const struct process_table *c, const struct process_entry *p)
{
	uint64_t world = world_of(p), folder = folder_of(p);
	struct span newest = span_of("", 0);

	if (p->agent && !world)
		newest = verdict_newest(c, p->agent, p->process->uid);
	return folder ? newer(newest, newest_of(c, p->agent, folder, world)) : newest;
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

static void take_installed(struct resolving *s, const struct proc_installed *r)
{
	struct process_table_installed installed = {
		.agent = agent_named(s, process_table_field(&r->record, &r->agent)), .uid = r->uid
	};
	struct span version = process_table_field(&r->record, &r->version);
	struct place place;

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
		take_installed(s, (const struct proc_installed *)r);
	for (size_t i = 0; i < s->count; i++) {
		const struct process_entry *p = s->order[i];
		uint64_t folder = folder_of(p);

		if (folder && p->match.version.size)
			keep_newest(s, p->agent, folder, world_of(p),
				process_table_put(s->process_table, p->match.version));
	}
}

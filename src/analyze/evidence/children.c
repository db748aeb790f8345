/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/children.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/starts.h"
#include "base/hash.h"

#define KINDS_MAX 4096
#define SEVERAL	  0 /* kinds of one name have different arguments */

/* --- whose child it is --- */

/* Returns when another process of the group, neither below `top` nor an ancestor of it, started and
 * could start children itself; UINT64_MAX: there is none. */
static uint64_t first_other_starter(
	const struct process_table *table, const struct process_entry *top)
{
	uint64_t first = UINT64_MAX;

	process_table_for_each (table, other) {
		if (other->process->process_group == top->process->process_group &&
			other->id.start_ticks < first && !check_has_new_parent(other) &&
			!process_table_is_below(other, top) && !process_table_is_below(top, other))
			first = other->id.start_ticks;
	}
	return first;
}

/* Returns whether `top` started `p`: a session contains only descendants of its leader. */
static bool is_started_by(
	const struct children *c, const struct process_entry *top, const struct process_entry *p)
{
	const struct proc_process *a = top->process, *b = p->process;

	if (top->main == top && p->main == top)
		return true;
	if (!b->session || b->session != a->session)
		return false;
	return a->session == top->id.pid || (a->process_group == b->process_group &&
						    p->id.start_ticks <= c->other_starter_ticks);
}

/* Returns whether `top` or a descendant of it started the process, whose parent has ended. */
static bool is_adopted(
	const struct children *c, const struct process_entry *top, const struct process_entry *p)
{
	return p->is_there && p->process->state != 'Z' && top->id.pid != 1 &&
	       p->id.start_ticks >= top->id.start_ticks && check_has_new_parent(p) &&
	       is_started_by(c, top, p);
}

static enum child_link link_of(const struct children *c, const struct process_entry *p)
{
	const struct process_entry *top = c->of->process;

	if (p == top)
		return CHILD_NONE;
	if (starts_parent(p) == top)
		return CHILD_DIRECT;
	if (starts_living(p) && process_table_is_below(starts_living(p), top))
		return CHILD_BELOW;
	return is_adopted(c, top, p) ? CHILD_ADOPTED : CHILD_NONE;
}

/* --- which kind it is --- */

static uint64_t hash_of_name(enum child_link link, struct span name)
{
	unsigned char first = (unsigned char)link;

	return hash_bytes(hash_bytes(HASH_BEGIN, &first, 1), name.data, name.size);
}

/* Hashes arguments without numbers, which are mostly ports, indexes or parts of paths. */
static uint64_t hash_of_arguments(uint64_t hash, struct span arguments)
{
	for (size_t i = 0; i < arguments.size; i++) {
		char c = arguments.data[i];

		if (!isdigit((unsigned char)c))
			hash = hash_bytes(hash, &c, 1);
		else if (!i || !isdigit((unsigned char)arguments.data[i - 1]))
			hash = hash_bytes(hash, "0", 1);
	}
	return hash;
}

/* Returns the key of a kind. With unknown arguments, it is the only kind of that name, if any. */
static uint64_t key_of(
	const struct children *c, const struct process_entry *p, enum child_link link)
{
	uint64_t name = hash_of_name(link, check_name(p));
	struct span arguments = process_table_known_arguments(p);
	const uint64_t *only;

	if (arguments.size)
		return hash_of_arguments(name, arguments);
	only = map_get(&c->names, &name);
	return only && *only != SEVERAL ? *only : name;
}

static void note_name(struct children *c, const struct process_entry *p)
{
	enum child_link link = link_of(c, p);
	uint64_t name = hash_of_name(link, check_name(p)), key;
	struct span arguments = process_table_known_arguments(p);
	uint64_t *only;
	bool is_new;

	if (link == CHILD_NONE || !arguments.size)
		return;
	key = hash_of_arguments(name, arguments);
	only = map_put(&c->names, &name, &is_new);
	if (only)
		*only = is_new || *only == key ? key : SEVERAL;
}

uint64_t child_age_ns(const struct check *e, const struct process_entry *p)
{
	assert(e);
	return host_state_elapsed(&e->input->host, p) * NS_PER_S;
}

/* --- what it does --- */

static bool is_idle(const struct check *e, const struct process_entry *p)
{
	struct sample_series s = diagnosis_input_series(e->input, &p->id);

	for (size_t i = 0; i < s.count; i++) {
		if (s.points[i].state != 'S')
			return false;
	}
	return s.count > 1 && s.points[0].cpu_ns == s.points[s.count - 1].cpu_ns;
}

static void add(struct children *c, const struct process_entry *p)
{
	enum child_link link = link_of(c, p);
	uint64_t key = link == CHILD_NONE ? 0 : key_of(c, p, link);
	struct child_kind *kind = link == CHILD_NONE ? NULL : map_put(&c->kinds, &key, NULL);
	const struct sample_series *own = &c->of->series;

	if (!kind)
		return;
	kind->link = link;
	kind->came += own->count && p->first_ns > own->points[0].time_ns + NS_PER_S / 2;
	if (!p->is_there || p->process->state == 'Z') {
		kind->ended++;
		return;
	}
	kind->alive++;
	kind->rss_bytes += p->process->rss_bytes;
	if (p->process->cpu_ns > kind->most_cpu_ns)
		kind->most_cpu_ns = p->process->cpu_ns;
	if (!kind->oldest || p->id.start_ticks < kind->oldest->id.start_ticks)
		kind->oldest = p;
	if (!kind->newest || p->id.start_ticks > kind->newest->id.start_ticks)
		kind->newest = p;
	buffer_append(&kind->starts, &p->id.start_ticks, sizeof(p->id.start_ticks));
	kind->idle += is_idle(c->of, p);
}

static int by_start(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

void children_of(struct children *c, const struct check *e)
{
	assert(c);
	assert(e);

	const struct process_table *table = &e->input->host.process_table;

	*c = (struct children){ .of = e,
		.other_starter_ticks = first_other_starter(table, e->process) };
	map_init(&c->kinds, sizeof(uint64_t), sizeof(struct child_kind), KINDS_MAX);
	map_init(&c->names, sizeof(uint64_t), sizeof(uint64_t), KINDS_MAX);
	map_for_each_pointer (&table->processes, const struct process_entry *, p)
		note_name(c, p);
	map_for_each_pointer (&table->processes, const struct process_entry *, p)
		add(c, p);
	map_for_each_value (&c->kinds, struct child_kind *, kind) {
		if (kind->alive && !buffer_failed(&kind->starts))
			qsort(kind->starts.data, kind->alive, sizeof(uint64_t), by_start);
	}
}

void children_fini(struct children *c)
{
	assert(c);
	map_for_each_value (&c->kinds, struct child_kind *, kind)
		buffer_fini(&kind->starts);
	map_fini(&c->kinds);
	map_fini(&c->names);
}

const struct child_kind *children_kind_of(const struct children *c, const struct process_entry *p)
{
	assert(c);

	enum child_link link = link_of(c, p);
	uint64_t key = link == CHILD_NONE ? 0 : key_of(c, p, link);

	return link == CHILD_NONE ? NULL : map_get(&c->kinds, &key);
}

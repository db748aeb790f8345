/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/children.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/check_waits.h"
#include "analyze/diagnosis/starts.h"
#include "analyze/waits/wait_lookup.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "model/errno_names.h"

#define KINDS_MAX    4096
#define PEERS_MAX    256
#define FAILURES_MAX 1024
#define GROUPS_MAX   8
#define UP_MAX	     64
#define SEVERAL	     0 /* kinds of one name have different arguments */

NUMBER(ENDS_NS, NS_PER_S / 2, NS, "from the failed call to the end of the process");

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

static uint64_t hash_of_command(const struct process_entry *p)
{
	return hash_of_arguments(
		hash_of_name(CHILD_NONE, check_name(p)), process_table_known_arguments(p));
}

bool child_is_alike(const struct process_entry *a, const struct process_entry *b)
{
	return hash_of_command(a) == hash_of_command(b);
}

/* Returns the key of the kind of a process; 0: it is no child. With unknown arguments, it is the
 * only kind of that name, if any. */
static uint64_t key_of(const struct children *c, const struct process_entry *p)
{
	enum child_link link = link_of(c, p);
	uint64_t name = hash_of_name(link, check_name(p));
	struct span arguments = process_table_known_arguments(p);
	const uint64_t *only;

	if (link == CHILD_NONE)
		return 0;
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

static void add_kind(struct children *c, const struct process_entry *p)
{
	uint64_t key = key_of(c, p);
	struct child_kind *kind = key ? map_put(&c->kinds, &key, NULL) : NULL;
	const struct sample_series *own = &c->of->series;

	if (!kind)
		return;
	kind->link = link_of(c, p);
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

static int compare_by_start(const void *a, const void *b)
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
		add_kind(c, p);
	map_for_each_value (&c->kinds, struct child_kind *, kind) {
		if (kind->alive && !buffer_failed(&kind->starts))
			qsort(kind->starts.data, kind->alive, sizeof(uint64_t), compare_by_start);
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

	uint64_t key = key_of(c, p);

	return key ? map_get(&c->kinds, &key) : NULL;
}

/* --- the calls of short-lived ones --- */

struct child {
	char name[SHORT_LIVED_NAME_SIZE];
	bool is_over;
	uint32_t status; /* exit status of an ended child; 0: no error */
	uint64_t end_ns; /* end of an ended child */
};

/* Returns the closest diagnosed ancestor, which reports the calls of the process. */
static const struct process_entry *reporter_of(
	const struct diagnosis_input *r, const struct process_entry *p)
{
	for (unsigned i = 0; p && i < UP_MAX; i++) {
		if (p->is_there && diagnosis_input_is_selected(r, p))
			return p;
		p = starts_parent(p);
	}
	return NULL;
}

/* Finds a child that started and ended between two samples, or was in at least one sample. */
static bool find_child(struct child *child, const struct check *e, const struct process_id *id)
{
	const struct diagnosis_input *r = e->input;
	const struct short_lived *s = &r->host.short_lived;
	const struct process_table *t = &r->host.process_table;
	const struct process_entry *p = process_table_get(t, id);
	const struct short_lived_process *end = map_get(&s->processes, id);
	const struct process_entry *starter = p ? starts_parent(p) : end ? end->starter : NULL;
	struct span name;

	if ((p && p->is_there && diagnosis_input_is_selected(r, p)) || !starter ||
		reporter_of(r, starter) != e->process)
		return false;
	name = p ? record_text(&p->process->record, &p->process->name)
		 : span_of(end->name, strnlen(end->name, sizeof(end->name)));
	snprintf(child->name, sizeof(child->name), "%.*s", SPAN_ARGS(name));
	child->is_over = end != NULL;
	child->status = end ? end->status : 0;
	child->end_ns = end ? end->end_ns : 0;
	return true;
}

static void add_name(char names[CHILD_CALLS_NAMES], const char *name)
{
	size_t used = strlen(names);

	if (!strstr(names, name) && used + strlen(name) + 3 < CHILD_CALLS_NAMES)
		snprintf(names + used, CHILD_CALLS_NAMES - used, "%s%s", used ? ", " : "", name);
}

static void add_errors(struct call_peer *sum, const struct call_peer *p)
{
	for (size_t i = 0; i < CALL_PEER_ERRORS && p->errors[i].count; i++) {
		for (size_t k = 0; k < CALL_PEER_ERRORS; k++) {
			if (sum->errors[k].count && sum->errors[k].error != p->errors[i].error)
				continue;
			sum->errors[k].error = p->errors[i].error;
			sum->errors[k].count += p->errors[i].count;
			break;
		}
	}
}

static void add_peer(struct child_peer *to, const struct call_peer *p, const struct child *child)
{
	struct call_peer *sum = &to->sum;
	uint64_t excused = p->excused < p->failed ? p->excused : p->failed;
	/* A command that succeeded did not need that answer: it reached another address. */
	bool is_excused = child->is_over && !child->status;

	if (!sum->attempts || p->first_ns < sum->first_ns)
		sum->first_ns = p->first_ns;
	sum->attempts += p->attempts;
	sum->made += p->made;
	sum->under_way += p->under_way;
	sum->unknown += p->unknown;
	if (p->last_made_ns > sum->last_made_ns)
		sum->last_made_ns = p->last_made_ns;
	if (is_excused || p->failed == excused)
		return;
	sum->failed += p->failed - excused;
	if (p->last_failed_ns > sum->last_failed_ns)
		sum->last_failed_ns = p->last_failed_ns;
	add_errors(sum, p);
	add_name(to->names, child->name);
}

/* Returns whether a call that acts on a path (chdir, umount2, rename), and not only searches,
 * failed just before the command ended. */
static bool fails_to_act(
	const struct call_place *place, const struct call_failures *f, const struct child *child)
{
	const struct syscall_row *row = syscall_by_number(place->abi, place->number);
	bool is_missing = place->error == LINUX_ENOENT || place->error == LINUX_ENOTDIR;

	return row && row->category == SYSCALL_CATEGORY_FILE &&
	       !(row->traits & (SYSCALL_LOOKS | (is_missing ? SYSCALL_REMOVES : 0))) &&
	       (is_missing || place->error == LINUX_EBUSY) && f->last_ns + ENDS_NS >= child->end_ns;
}

/* Returns whether an error explains the end: most errors of a command are ordinary answers. */
static bool explains_end(
	const struct call_place *place, const struct call_failures *f, const struct child *child)
{
	static const uint16_t errors[] = { LINUX_EACCES, LINUX_EPERM, LINUX_EADDRINUSE,
		LINUX_ETXTBSY, LINUX_EEXIST, LINUX_EAGAIN }; /* the last two mean a taken lock */

	for (size_t i = 0; *place->text && i < ARRAY_SIZE(errors); i++) {
		if (place->error == errors[i])
			return true;
	}
	return place->error == CALL_NO_DIRECTORY || call_error_is_grave(place->error) ||
	       (*place->text && fails_to_act(place, f, child));
}

static void add_failure(
	struct child_failures *to, const struct call_failures *f, const struct child *child)
{
	if (!to->children++ || f->first_ns < to->first_ns)
		to->first_ns = f->first_ns;
	if (f->last_ns > to->last_ns)
		to->last_ns = f->last_ns;
	add_name(to->names, child->name);
}

struct adding {
	struct child_calls *to;
	const struct check *e;
};

static void add_child(void *user, const struct call_history *history)
{
	const struct adding *a = user;
	struct child child = { .is_over = false };

	if (!find_child(&child, a->e, &history->id))
		return;
	map_for_each (&history->peers, const struct call_path *, address, void *, value) {
		struct child_peer *to = call_is_optional_peer(address->text)
						? NULL
						: map_put(&a->to->peers, address, NULL);

		if (to)
			add_peer(to, value, &child);
	}
	map_for_each (map_while(child.status, &history->failures), const struct call_place *, place,
		void *, value) {
		struct child_failures *to = explains_end(place, value, &child)
						    ? map_put(&a->to->failures, place, NULL)
						    : NULL;

		if (to)
			add_failure(to, value, &child);
	}
}

void child_calls_each(const struct check *e,
	void (*take)(void *user, const struct call_history *child), void *user)
{
	if (!e->process || !e->process->is_there || !e->input->host.short_lived.is_watched)
		return;
	map_for_each (&e->input->calls.processes, const struct process_id *, id,
		struct call_history *const *, history) {
		struct child child = { .is_over = false };

		if (*history && !process_id_equal(id, &e->id) && find_child(&child, e, id))
			take(user, *history);
	}
}

void child_calls_read(struct child_calls *c, const struct check *e)
{
	assert(c);
	map_init(&c->peers, sizeof(struct call_path), sizeof(struct child_peer), PEERS_MAX);
	map_init(&c->failures, sizeof(struct call_place), sizeof(struct child_failures),
		FAILURES_MAX);
	child_calls_each(e, add_child, &(struct adding){ c, e });
}

void child_calls_fini(struct child_calls *c)
{
	assert(c);
	map_fini(&c->peers);
	map_fini(&c->failures);
}

/* --- blocked ones --- */

static uint64_t waited_ns_of(const struct waits_thread *t)
{
	return t->since_state == SOOTH_STATE_VALUE ? t->since_ns : 0;
}

/* Returns the longest wait for a file of a descendant, as a group of one; count 0: no such wait. */
static struct blocked_children one_of(
	const struct check *e, const struct wait_graph *g, const struct waits_process *p)
{
	const struct process_entry *entry = check_entry_of(e, p);
	struct blocked_children one = { 0 };

	if (!entry || entry == e->process || !process_table_is_below(entry, e->process))
		return one;
	wait_threads_each (g, p->node_pid, t) {
		struct wait_link link = wait_link_of(g, p, t);
		bool is_of_file_system = link.what == WAIT_FILE_SYSTEM;

		if ((!is_of_file_system && (link.what != WAIT_IO || t->state != 'D')) ||
			waited_ns_of(t) <= one.most_ns)
			continue;
		one = (struct blocked_children){ .count = 1,
			.all = { entry },
			.server = wait_server_of(g, p->node_pid, t->record.tid),
			.channel = record_text(&t->record, &t->wait_channel),
			.are_of_file_system = is_of_file_system };
		one.least_ns = one.most_ns = waited_ns_of(t);
		if (one.server)
			one.point = record_text(&one.server->record, &one.server->detail);
		if (link.object)
			one.path = record_text(&link.object->record, &link.object->path);
	}
	return one;
}

static bool is_same(const struct blocked_children *a, const struct blocked_children *b)
{
	if (a->point.size || b->point.size)
		return !span_compare(a->point, b->point);
	if (a->path.size || b->path.size)
		return !span_compare(a->path, b->path);
	return !span_compare(a->channel, b->channel);
}

static void merge_blocked(struct blocked_children *into, const struct blocked_children *one)
{
	if (into->count == BLOCKED_CHILDREN_MAX) {
		into->is_cut = true;
		return;
	}
	into->all[into->count++] = one->all[0];
	if (one->least_ns < into->least_ns)
		into->least_ns = one->least_ns;
	if (one->most_ns > into->most_ns)
		into->most_ns = one->most_ns;
}

static void add_blocked(
	struct blocked_children groups[GROUPS_MAX], const struct blocked_children *one)
{
	for (size_t i = 0; i < GROUPS_MAX; i++) {
		if (!groups[i].count)
			groups[i] = *one;
		else if (is_same(&groups[i], one))
			merge_blocked(&groups[i], one);
		else
			continue;
		return;
	}
}

void blocked_children_of(struct blocked_children *b, const struct check *e, uint64_t min_ns)
{
	assert(b);
	assert(e);

	struct blocked_children groups[GROUPS_MAX] = { 0 };
	struct wait_graph g;

	*b = (struct blocked_children){ 0 };
	if (!e->process || !check_graph(e, &g))
		return;
	snapshot_each (struct waits_process, p, check_last(e, &e->input->waits), WAITS_PROCESS) {
		struct blocked_children one = one_of(e, &g, p);

		if (one.count && one.least_ns >= min_ns)
			add_blocked(groups, &one);
	}
	for (size_t i = 0; i < GROUPS_MAX; i++) {
		if (groups[i].count > b->count)
			*b = groups[i];
	}
	b->is_cut |= b->count && wait_graph_is_cut(&g);
}

static bool has_all(const struct blocked_children *b, const struct process_entry *p)
{
	for (size_t i = 0; i < b->count; i++) {
		if (b->all[i] == p || !process_table_is_below(b->all[i], p))
			return false;
	}
	return true;
}

const struct process_entry *blocked_children_starter(
	const struct blocked_children *b, const struct process_entry *top)
{
	assert(b);
	assert(top);

	for (const struct process_entry *p = top->first_child; p;) {
		if (has_all(b, p)) {
			top = p;
			p = p->first_child;
		} else {
			p = p->next_sibling;
		}
	}
	return top;
}

bool blocked_children_have(const struct check *e, uint64_t min_ns)
{
	assert(e);

	const struct process_entry *up = e->process ? e->process->parent : NULL;

	for (unsigned i = 0; up && i < UP_MAX; i++, up = up->parent) {
		struct check of_parent = *e;
		struct blocked_children b;

		if (!up->is_there || !diagnosis_input_is_selected(e->input, up))
			continue;
		of_parent.process = up;
		of_parent.id = up->id;
		of_parent.series = diagnosis_input_series(e->input, &up->id);
		blocked_children_of(&b, &of_parent, min_ns);
		for (size_t n = 0; b.count >= BLOCKED_CHILDREN_LEAST && n < b.count; n++) {
			if (b.all[n] == e->process)
				return true;
		}
	}
	return false;
}

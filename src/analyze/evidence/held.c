/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/held.h"

#include <assert.h>
#include <string.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/inspect/limits.h"
#include "base/units.h"

NUMBER(IO_WAITED_LEAST, 50, PERCENT, "of samples in which a thread waited for I/O");
NUMBER(IO_SAMPLES_LEAST, 5, NONE, "with fewer samples a share means nothing");
NUMBER(IO_MOVED_LEAST, 0.5, NONE, "share of the limit; below, the disk itself is slow");
NUMBER(IO_MOVED_MOST, 2.2, NONE, "a copy reads as much as it writes");
NUMBER(PART_LEAST, 10, PERCENT, "of the limit");

#define PIDS_MAX 4
#define INIT	 1

/* Walks the limits of the groups of the process, and of those above. */
#define groups_each(e, g)                                                                          \
	snapshot_each_of (struct limits_group, g, check_last(e, &(e)->input->limits),              \
		LIMITS_GROUP, LIMITS_GROUP_LEAST)

/* Returns the same limit at the first sample. */
static const struct limits_group *limit_at_first(
	const struct check *e, const struct limits_group *g)
{
	const struct snapshot *first = check_first(e, &e->input->limits);

	return first ? limit_sums_same_group(first, g) : NULL;
}

static bool find_held_limit(
	const struct check *e, const struct limits_group *last, struct held_limit *limit)
{
	const struct limits_group *before = limit_at_first(e, last);
	uint64_t interval_ns;

	if (!before || before == last || before->reached_state || last->reached_state ||
		last->limit_state || last->reached < before->reached ||
		last->record.time_ns <= before->record.time_ns)
		return false;
	interval_ns = last->record.time_ns - before->record.time_ns;
	*limit = (struct held_limit){ last,
		(double)(last->reached - before->reached) * (double)NS_PER_S / (double)interval_ns,
		interval_ns };
	return true;
}

struct held_limit held_limit_of(const struct check *e, const char *name)
{
	struct held_limit most = { 0 }, one;

	assert(e);
	groups_each(e, g)
	{
		if (limit_sums_group_is(g, name) && find_held_limit(e, g, &one) &&
			one.per_s > most.per_s)
			most = one;
	}
	return most;
}

/* Returns the lowest limit of the control group and the groups above it. */
static const struct limits_group *tightest_limit(const struct check *e, const char *name)
{
	const struct limits_group *found = NULL;

	groups_each(e, g)
	{
		if (limit_sums_group_is(g, name) && g->limit_state == SOOTH_STATE_VALUE &&
			(!found || g->limit < found->limit))
			found = g;
	}
	return found;
}

static bool fits_limit(const struct limits_group *g, double moved_per_s)
{
	return g && moved_per_s >= IO_MOVED_LEAST * (double)g->limit &&
	       moved_per_s <= IO_MOVED_MOST * (double)g->limit;
}

struct held_io held_io_of(const struct check *e)
{
	assert(e);

	const struct limits_group *reads = tightest_limit(e, "io-read"),
				  *writes = tightest_limit(e, "io-write");
	struct held_io most = { 0 };

	thread_histories_for_each (&e->input->threads, &e->id, t) {
		double waited = t->met ? 100.0 * t->uninterruptible / t->met : 0;
		double moved = thread_history_moved_bytes(t);
		bool is_write = fits_limit(writes, moved) && !fits_limit(reads, moved);

		if (t->met < IO_SAMPLES_LEAST || waited < IO_WAITED_LEAST ||
			waited <= most.waited || (!is_write && !fits_limit(reads, moved)))
			continue;
		most = (struct held_io){ is_write ? writes : reads, is_write, moved, waited, t->tid,
			thread_history_ns(t) };
	}
	return most;
}

/* --- room for tasks --- */

static bool is_full(const struct limits_group *g)
{
	return g->limit_state == SOOTH_STATE_VALUE && g->used_state == SOOTH_STATE_VALUE &&
	       g->used >= g->limit;
}

uint64_t task_room_in(const struct limits_group *g)
{
	return g->used_state != SOOTH_STATE_VALUE ? UINT64_MAX
	       : g->used < g->limit		  ? g->limit - g->used
						  : 0;
}

static uint64_t refused_by(const struct check *e, const struct limits_group *g)
{
	const struct limits_group *before = limit_at_first(e, g);

	return before && before->reached_state == SOOTH_STATE_VALUE &&
			       g->reached_state == SOOTH_STATE_VALUE && g->reached > before->reached
		       ? g->reached - before->reached
		       : 0;
}

/* Counts refusals. In version 1 the group of the starting process counts them, whichever is
 * full. */
static void count_refusals(
	struct task_room *out, const struct check *e, const struct limits_group *g)
{
	uint64_t refused = refused_by(e, g);

	if (!limit_sums_group_is(g, "pids") || g->reached_state != SOOTH_STATE_VALUE ||
		(g != out->group && g->is_inherited))
		return;
	out->is_counted = true;
	out->refused = refused > out->refused ? refused : out->refused;
	out->refused_all = g->reached > out->refused_all ? g->reached : out->refused_all;
}

void task_room_find(struct task_room *out, const struct check *e)
{
	assert(e);

	const struct limits_group *before;
	uint64_t most = 0;

	assert(out);
	*out = (struct task_room){ 0 };
	groups_each(e, g)
	{
		uint64_t refused = refused_by(e, g);

		if (!limit_sums_group_is(g, "pids") || g->limit_state != SOOTH_STATE_VALUE ||
			(out->group && refused <= most &&
				(refused < most || task_room_in(g) >= task_room_in(out->group))))
			continue;
		out->group = g;
		most = refused;
	}
	if (!out->group)
		return;
	groups_each(e, g) count_refusals(out, e, g);
	before = limit_at_first(e, out->group);
	out->is_full = is_full(out->group);
	out->was_full = before && is_full(before);
}

const struct limits_group *find_group_without_tasks_left(const struct check *e)
{
	struct task_room room;

	task_room_find(&room, e);
	return room.is_full || room.refused ? room.group : NULL;
}

/* Members that run the same program and script. */
struct kind {
	const struct limits_holder *first;
	struct buffer pids;
	unsigned count, left;
	uint64_t tasks;
};

bool task_member_is_left(const struct process_entry *p)
{
	return p && (check_has_new_parent(p) || (p->parent && p->parent->id.pid == INIT));
}

static bool is_member(const struct limits_holder *h, struct span group)
{
	return h->resource == LIMITS_SHARED_TASKS &&
	       !span_compare(record_text(&h->record, &h->place), group);
}

static bool have_same_command(const struct limits_holder *a, const struct limits_holder *b)
{
	return !memcmp(a->holder_name, b->holder_name, sizeof(a->holder_name)) &&
	       !span_compare(record_text(&a->record, &a->path), record_text(&b->record, &b->path));
}

static void add_members(struct kind *kind, const struct check *e, const struct limits_holder *h)
{
	if (kind->count++ < PIDS_MAX)
		buffer_format(&kind->pids, "%s%u", kind->count > 1 ? ", " : "", h->holder_pid);
	kind->left += task_member_is_left(check_process(e, h->holder_pid, h->holder_start_ticks));
	kind->tasks += h->amount;
}

static void find_most(
	struct kind *most, const struct check *e, const struct snapshot *all, struct span group)
{
	*most = (struct kind){ 0 };
	snapshot_each (struct limits_holder, first, all, LIMITS_HOLDER) {
		struct kind kind = { .first = first };

		if (!is_member(first, group))
			continue;
		snapshot_each (struct limits_holder, h, all, LIMITS_HOLDER) {
			if (is_member(h, group) && have_same_command(h, first))
				add_members(&kind, e, h);
		}
		if (kind.tasks > most->tasks) {
			buffer_fini(&most->pids);
			*most = kind;
		} else {
			buffer_fini(&kind.pids);
		}
	}
}

/* The members that were read. */
struct sum {
	uint64_t tasks;
	unsigned members, unread;
};

static struct sum sum_of(const struct snapshot *all, struct span group)
{
	struct sum sum = { 0 };

	snapshot_each (struct limits_holder, h, all, LIMITS_HOLDER) {
		if (!is_member(h, group))
			continue;
		sum.members++;
		sum.tasks += h->amount;
		sum.unread = h->unread;
	}
	return sum;
}

static void put_members(
	struct buffer *out, const struct check *e, struct kind *k, const struct sum *sum)
{
	const char *name = k->first->holder_name;
	struct span script = record_text(&k->first->record, &k->first->path);
	bool is_one = k->count == 1;

	buffer_string(out, "; ");
	if (!is_one)
		buffer_format(out, "%u ", k->count);
	if (is_one && k->first->holder_pid == e->id.pid)
		buffer_string(out, "this process");
	else
		buffer_format(out, "%.*s%s%.*s (%s%s)",
			(int)strnlen(name, sizeof(k->first->holder_name)), name,
			script.size ? " " : "", SPAN_ARGS(script), buffer_cstr(&k->pids),
			k->count > PIDS_MAX ? ", ..." : "");
	if (k->left == k->count)
		buffer_format(out, ", which %s,",
			is_one ? "has outlived its parent" : "have outlived their parents");
	buffer_format(out, " %s %s%llu", is_one ? "has" : "have", sum->unread ? "at least " : "",
		(unsigned long long)k->tasks);
	if (sum->unread)
		buffer_format(out, ", of the %u processes that were read", sum->members);
}

static unsigned count_zombies(const struct process_entry *of)
{
	unsigned count = 0;

	for (const struct process_entry *p = of->first_child; p; p = p->next_sibling)
		count += p->zombie_ns && p->process->threads <= 1;
	return count;
}

const struct process_entry *task_zombies_put(
	struct buffer *out, const struct check *e, const struct limits_group *g)
{
	assert(e);
	assert(g);

	const struct process_entry *most = NULL;
	unsigned count = 0;

	snapshot_each (struct limits_holder, h, check_last(e, &e->input->limits), LIMITS_HOLDER) {
		const struct process_entry *p =
			is_member(h, record_text(&g->record, &g->path))
				? check_process(e, h->holder_pid, h->holder_start_ticks)
				: NULL;
		unsigned zombies = p ? count_zombies(p) : 0;

		if (zombies > count) {
			most = p;
			count = zombies;
		}
	}
	if (!most || (uint64_t)count * 2 < g->used)
		return NULL;
	buffer_string(out, "; ");
	check_put_name(out, most);
	buffer_format(out, " does not reap its exited children: %u zombies count", count);
	return most;
}

bool task_members_put(struct buffer *out, const struct check *e, const struct limits_group *g)
{
	assert(e);
	assert(g);

	const struct snapshot *all = check_last(e, &e->input->limits);
	struct sum sum = sum_of(all, record_text(&g->record, &g->path));
	uint64_t rest = sum.unread && g->used > sum.tasks ? g->used - sum.tasks : 0;
	struct kind most;
	bool are_left;

	find_most(&most, e, all, record_text(&g->record, &g->path));
	are_left = most.count && most.left == most.count && most.tasks > rest;
	if (most.tasks && most.tasks <= rest)
		buffer_format(out, "; of its members only %u were read, and others may have more",
			sum.members);
	else if (most.tasks && most.tasks * 100 >= g->limit * PART_LEAST)
		put_members(out, e, &most, &sum);
	buffer_fini(&most.pids);
	return are_left;
}

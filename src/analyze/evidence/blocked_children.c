/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/blocked_children.h"

#include <assert.h>

#include "analyze/diagnosis/check_waits.h"
#include "analyze/waits/wait_lookup.h"

#define GROUPS_MAX 8
#define UP_MAX	   64

/* --- one of them --- */

static uint64_t time_of(const struct waits_thread *t)
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
			time_of(t) <= one.most_ns)
			continue;
		one = (struct blocked_children){ .count = 1,
			.all = { entry },
			.server = wait_server_of(g, p->node_pid, t->record.tid),
			.channel = record_text(&t->record, &t->wait_channel),
			.are_of_file_system = is_of_file_system };
		one.least_ns = one.most_ns = time_of(t);
		if (one.server)
			one.point = record_text(&one.server->record, &one.server->detail);
		if (link.object)
			one.path = record_text(&link.object->record, &link.object->path);
	}
	return one;
}

/* --- groups --- */

static bool is_same(const struct blocked_children *a, const struct blocked_children *b)
{
	if (a->point.size || b->point.size)
		return !span_compare(a->point, b->point);
	if (a->path.size || b->path.size)
		return !span_compare(a->path, b->path);
	return !span_compare(a->channel, b->channel);
}

static void merge(struct blocked_children *into, const struct blocked_children *one)
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

static void add(struct blocked_children groups[GROUPS_MAX], const struct blocked_children *one)
{
	for (size_t i = 0; i < GROUPS_MAX; i++) {
		if (!groups[i].count)
			groups[i] = *one;
		else if (is_same(&groups[i], one))
			merge(&groups[i], one);
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
			add(groups, &one);
	}
	for (size_t i = 0; i < GROUPS_MAX; i++) {
		if (groups[i].count > b->count)
			*b = groups[i];
	}
	b->is_cut |= b->count && g.end && g.end->processes_state == SOOTH_STATE_TRUNCATED;
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

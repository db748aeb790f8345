/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/processes/process_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/activity/activity_rows.h"
#include "analyze/process_table/process_table.h"
#include "base/cleanup.h"

#define LISTED_DEPTH_MAX 60 /* rows at greater depth are shown at this depth */

/* --- fields --- */

/* The color levels of the scan contract. */
static const double cpu_levels[SOOTH_FIELD_LEVELS] = { 20, 50, 80 };
static const double rss_levels[SOOTH_FIELD_LEVELS] = { 256u << 20, 512u << 20, 1u << 30 };

static const char *const link_names[] = {
	[PROCESS_LINK_NONE] = "none",
	[PROCESS_LINK_SELF] = "self",
	[PROCESS_LINK_ANCESTOR] = "ancestor",
	[PROCESS_LINK_SESSION] = "session id",
	[PROCESS_LINK_PID] = "pid",
	[PROCESS_LINK_INPUT] = "input",
	[PROCESS_LINK_LAUNCHED] = "launched",
	[PROCESS_LINK_GROUP] = "group",
	[PROCESS_LINK_KIND] = "kind",
};
static const struct sooth_names links = { sizeof(link_names) / sizeof(link_names[0]), link_names };

ROW_SCHEMA(process_row, PROCESS_ROW, "processes", process_row);

/* --- the list --- */

#define CLIMB_MAX 4096 /* most ancestors that are followed; a hostile capture may have cycles */

/* --- selection --- */

static bool is_process_of_agent(const struct process_entry *p)
{
	return p->agent || p->owner_agent || p->link != PROCESS_LINK_NONE;
}

static bool is_stopped(const struct process_entry *p)
{
	return p->process->state == 'T' || p->process->frozen == PROC_FROZEN_YES;
}

static int decide_verdicts(const struct host_state *h, struct listed *l)
{
	if (!is_process_of_agent(l->p) && l->p->process->state != 'Z' && !is_stopped(l->p) &&
		!process_table_is_unknown(l->p))
		return 0;
	l->verdicts = calloc(VERDICTS, sizeof(*l->verdicts));
	if (!l->verdicts)
		return -ENOMEM;
	for (int kind = 0; kind < VERDICTS; kind++)
		verdict_decide(
			&h->process_table, l->p, (enum verdict_kind)kind, &l->verdicts[kind]);
	return 0;
}

static bool is_named(const struct processes_options *o, const struct process_entry *p)
{
	for (size_t i = 0; i < o->pid_count; i++) {
		if (o->pids[i] == p->id.pid)
			return true;
	}
	return false;
}

/* Returns whether a process is selected; in a tree or session also by a selected ancestor. */
static bool is_chosen_by_pid(const struct processes_options *o, const struct process_entry *p)
{
	bool is_chosen = is_named(o, p);

	for (size_t i = 0; (o->is_tree || o->adds_children) && !is_chosen && p && i < CLIMB_MAX;
		i++) {
		p = p->parent;
		is_chosen = p && is_named(o, p);
	}
	return is_chosen;
}

static bool is_name_of_agent(const char *name, const struct agent *agent)
{
	return agent && !strcmp(agent->name, name);
}

/* Returns whether the process is frozen, but not its whole session. */
static bool is_frozen_alone(const struct host_state *h, const struct listed *l)
{
	struct verdict verdict = { 0 };

	if (l->p->main)
		verdict_decide(&h->process_table, l->p->main, VERDICT_FROZEN, &verdict);
	return listed_holds(l, VERDICT_FROZEN) && !verdict.holds;
}

static bool is_selected(const struct processes_options *o, const struct process_entry *p)
{
	return (!o->has_uid || p->process->uid == o->uid) &&
	       (!o->agent || is_name_of_agent(o->agent, p->agent) ||
		       is_name_of_agent(o->agent, p->owner_agent));
}

static bool is_shown(
	const struct host_state *h, const struct processes_options *o, const struct listed *l)
{
	const struct process_entry *p = l->p;

	if (o->hide_ended && !p->is_there)
		return false;
	if (!is_selected(o, p))
		return false;
	if (o->pid_count)
		return is_chosen_by_pid(o, p);
	if (o->emits_versions) /* only agents have a version */
		return p->agent && p->process->state != 'Z';
	if (o->shown == PROCESSES_ALL || h->is_named)
		return true;
	if (o->shown == PROCESSES_SESSIONS && is_process_of_agent(p))
		return true;
	return p->agent ||
	       (is_process_of_agent(p) && (listed_is_left_over(l) || is_frozen_alone(h, l)));
}

/* Returns whether an unreadable process would be listed as an agent or its leftover. */
static bool is_missing(const struct processes_options *o, const struct process_entry *p)
{
	return process_table_is_unknown(p) && (!o->has_uid || p->process->uid == o->uid) &&
	       (!o->pid_count || is_chosen_by_pid(o, p));
}

/* Returns whether only an undecided verdict keeps the process out of the list. */
static bool is_undecided(const struct processes_options *o, const struct listed *l)
{
	return l->verdicts && l->p->is_there && !process_table_is_unknown(l->p) &&
	       is_selected(o, l->p) && !o->pid_count && !o->emits_versions &&
	       state_is_unmeasured(l->verdicts[VERDICT_ORPHANED].state);
}

static void measure_process(const struct processes_options *o, struct listed *l)
{
	l->cpu_percent = process_table_cpu_percent(l->p);
	l->is_over_cpu_limit = o->cpu_over_percent > 0 && l->cpu_percent > o->cpu_over_percent;
	l->is_over_rss_limit = o->rss_over_bytes && l->p->process->rss_bytes > o->rss_over_bytes;
	l->is_over_unknown = o->cpu_over_percent > 0 && l->cpu_percent < 0 && !l->is_over_rss_limit;
}

int process_list_make(
	struct process_list *list, const struct host_state *h, const struct processes_options *o)
{
	*list = (struct process_list){ .all = calloc(h->process_table.processes.count + 1,
					       sizeof(*list->all)) };
	if (!list->all)
		return -ENOMEM;
	map_for_each_pointer (&h->process_table.processes, struct process_entry *, p) {
		struct listed *l = &list->all[list->count];

		*l = (struct listed){ .p = p, .options = o };
		list->unknown += is_missing(o, l->p);
		if (decide_verdicts(h, l))
			return -ENOMEM;
		if (!is_shown(h, o, l)) {
			list->undecided += is_undecided(o, l);
			free(l->verdicts);
			l->verdicts = NULL;
			continue;
		}
		measure_process(o, l);
		list->count++;
	}
	return 0;
}

/* --- the tree --- */

static size_t index_of(const struct map *indices, const struct process_entry *p)
{
	size_t *at = p ? map_get(indices, &p->id) : NULL;

	return at ? *at : LISTED_NONE;
}

static bool is_ancestor_in_list(const struct process_list *list, size_t upper, size_t lower)
{
	for (size_t i = 0; lower != LISTED_NONE && i < CLIMB_MAX; i++) {
		if (lower == upper)
			return true;
		lower = list->all[lower].above;
	}
	return lower != LISTED_NONE; /* too deep to decide */
}

/* Puts a row below another, unless a hostile capture would make that a cycle. */
static void hang_below(struct process_list *list, size_t lower, size_t upper)
{
	if (list->all[lower].above == LISTED_NONE && upper != LISTED_NONE &&
		!is_ancestor_in_list(list, lower, upper))
		list->all[lower].above = upper;
}

/* Puts each row below its parent, if that is listed. A reparented process is put below the main
 * process of its session, where a user looks for it; PPID has the real parent. */
static void build_tree(struct process_list *list, const struct map *indices)
{
	for (size_t i = 0; i < list->count; i++)
		list->all[i].above = LISTED_NONE;
	for (size_t i = 0; i < list->count; i++)
		hang_below(list, i, index_of(indices, list->all[i].p->parent));
	for (size_t i = 0; i < list->count; i++)
		hang_below(list, i, index_of(indices, list->all[i].p->main));
}

static void link_all(struct process_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		list->all[i].first = list->all[i].last = list->all[i].next = LISTED_NONE;
	for (size_t i = 0; i < list->count; i++) {
		struct listed *above =
			list->all[i].above == LISTED_NONE ? NULL : &list->all[list->all[i].above];

		if (!above)
			continue;
		if (above->last == LISTED_NONE)
			above->first = i;
		else
			list->all[above->last].next = i;
		above->last = i;
	}
}

/* Returns the next row after `at` in depth-first order; sets *depth. */
static size_t walk_on(const struct process_list *list, size_t at, unsigned *depth)
{
	if (list->all[at].first != LISTED_NONE) {
		++*depth;
		return list->all[at].first;
	}
	while (at != LISTED_NONE && list->all[at].next == LISTED_NONE) {
		at = list->all[at].above;
		*depth -= at != LISTED_NONE;
	}
	return at == LISTED_NONE ? at : list->all[at].next;
}

static size_t order_as_tree(const struct process_list *list, struct listed *out)
{
	size_t count = 0;

	for (size_t root = 0; root < list->count; root++) {
		size_t at = list->all[root].above == LISTED_NONE ? root : LISTED_NONE;
		unsigned depth = 0;

		for (; at != LISTED_NONE; at = walk_on(list, at, &depth)) {
			out[count] = list->all[at];
			out[count++].depth = depth < LISTED_DEPTH_MAX ? depth : LISTED_DEPTH_MAX;
		}
	}
	return count;
}

static int make_tree(struct process_list *list)
{
	struct listed *out = calloc(list->count + 1, sizeof(*out));
	struct map indices;
	int status = out ? 0 : -ENOMEM;

	map_init(&indices, sizeof(struct process_id), sizeof(size_t), list->count + 1);
	for (size_t i = 0; i < list->count && !status; i++) {
		size_t *at = map_put(&indices, &list->all[i].p->id, NULL);

		status = at ? 0 : -ENOMEM;
		if (at)
			*at = i;
	}
	if (!status) {
		build_tree(list, &indices);
		link_all(list);
		list->count = order_as_tree(list, out);
		free(list->all);
		list->all = TAKE_PTR(out);
	}
	map_fini(&indices);
	free(out);
	return status;
}

/* --- sort order --- */

#define ORDER(a, b) ((a) < (b) ? -1 : (a) > (b))

static int compare_present(const struct sooth_value *a, const struct sooth_value *b)
{
	switch (a->type) {
	case SOOTH_FIELD_SIGNED:
		return ORDER(a->i, b->i);
	case SOOTH_FIELD_REAL:
		return ORDER(a->f, b->f);
	case SOOTH_FIELD_TEXT:
	case SOOTH_FIELD_ARGS:
	case SOOTH_FIELD_CHARS:
		return span_compare(
			span_of(a->text.data, a->text.size), span_of(b->text.data, b->text.size));
	default:
		return ORDER(a->u, b->u);
	}
}

/* Compares a field. Rows without a value come last in either direction. */
static int compare_field(const struct listed *x, const struct listed *y)
{
	const struct sooth_field *f = x->options->sort;
	struct sooth_value a = sooth_field_get(f, &x->row->record);
	struct sooth_value b = sooth_field_get(f, &y->row->record);
	int order;

	if (!value_is_there(&a) || !value_is_there(&b))
		return (int)value_is_there(&b) - (int)value_is_there(&a);
	order = compare_present(&a, &b);
	return x->options->is_descending ? -order : order;
}

static struct urgency_rank rank_of(const struct listed *l)
{
	return (struct urgency_rank){ .urgency = (enum urgency)l->row->urgency,
		.since_s = l->row->doing_s_state ? -1 : (double)l->row->doing_s,
		.cpu_percent = l->cpu_percent };
}

static int compare_listed(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;
	const struct sooth_field *sort = x->options->sort;
	bool has_rows = sort && x->row && y->row;
	bool is_by_urgency = sort && sort->offset == offsetof(struct process_row, urgency);
	int order = has_rows ? compare_field(x, y) : 0;

	if (!order && has_rows && is_by_urgency)
		order = urgency_compare(rank_of(x), rank_of(y));
	if (!order && (!sort || is_by_urgency))
		order = ORDER(y->cpu_percent, x->cpu_percent);
	if (!order && (!sort || is_by_urgency))
		order = ORDER(y->p->process->rss_bytes, x->p->process->rss_bytes);
	return order ? order : ORDER(x->p->id.pid, y->p->id.pid);
}

int process_list_sort(struct process_list *list, const struct processes_options *o)
{
	qsort(list->all, list->count, sizeof(*list->all), compare_listed);
	return o->is_tree ? make_tree(list) : 0;
}

void process_list_fini(struct process_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->all[i].verdicts);
	free(list->all);
	*list = (struct process_list){ 0 };
}

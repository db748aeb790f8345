/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the list: sessions in an order, below an unfolded one its processes by role, and what
 * ended sessions left; or all processes as a tree. The selected row keeps its place on the
 * screen. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "cli/top/columns.h"
#include "cli/top/findings.h"
#include "cli/top/state.h"
#include "model/field.h"

#define UNFOLDS_FROM 50 /* rows of the screen */

const struct top_row *top_picked(const struct top *t)
{
	return top_row_count(t) && !t->is_pick_gone ? top_row_at(t, t->picked) : NULL;
}

/* Returns whether a row is unfolded: by the user's choice, else by the choice for all rows. */
static bool is_unfolded(const struct top *t, const struct process_id *id)
{
	const uint8_t *wanted = map_get(&t->folding, id);

	return wanted ? *wanted == TOP_UNFOLDED : t->is_tree || t->has_room;
}

void top_want_folding(struct top *t, const struct process_id *id, enum top_folding wanted)
{
	uint8_t *kept = map_put(&t->folding, id, NULL);

	if (kept)
		*kept = (uint8_t)wanted;
}

void top_pick(struct top *t, size_t row)
{
	size_t count = top_row_count(t);

	if (!count)
		return;
	t->picked = row < count ? row : count - 1;
	t->has_moved = true;
	t->is_pick_gone = false;
	t->picked_id = top_row_at(t, t->picked)->id;
}

/* --- adding rows --- */

static void add_row(struct top *t, const struct top_row *row)
{
	if (top_row_count(t) < TOP_ROWS_MAX)
		buffer_append(&t->rows, row, sizeof(*row));
}

static int compare_by_role(const void *a, const void *b)
{
	const struct top_process *x = *(const struct top_process *const *)a;
	const struct top_process *y = *(const struct top_process *const *)b;

	if (x->role != y->role)
		return x->role < y->role ? -1 : 1;
	/* The order of the tree is that of the report. */
	return (x > y) - (x < y);
}

/* Returns the depth below the first process of its role, so that children stand under their
 * parents. */
static unsigned depth_in_role(const struct top_process *const *list, size_t i)
{
	for (size_t k = i; k-- > 0 && list[k]->role == list[i]->role;) {
		if (list[k]->id.pid == list[i]->ppid)
			return depth_in_role(list, k) + 1;
	}
	return 0;
}

static void add_below(struct top *t, struct top_session *s)
{
	size_t count = 0, all = top_process_count(&t->model);
	const struct top_process **list = calloc(all + 1, sizeof(*list));

	for (size_t i = 0; list && i < all; i++) {
		if (top_process_at(&t->model, i)->session == s)
			list[count++] = top_process_at(&t->model, i);
	}
	if (count)
		qsort(list, count, sizeof(*list), compare_by_role);
	for (size_t i = 0; i < count; i++) {
		if (list[i]->is_main)
			continue;
		add_row(t, &(struct top_row){ .kind = TOP_ROW_PROCESS,
				   .id = list[i]->id,
				   .session = s,
				   .process = list[i],
				   .depth = 1 + depth_in_role(list, i),
				   .is_last = i + 1 == count });
	}
	free(list);
}

static const struct top_process *main_of(const struct top *t, const struct top_session *s)
{
	buffer_each (const struct top_process, p, &t->model.processes) {
		if (p->is_main && p->session == s)
			return p;
	}
	return NULL;
}

static void add_session(struct top *t, struct top_session *s)
{
	struct top_row row = { .kind = TOP_ROW_SESSION,
		.id = s->id,
		.session = s,
		.process = s->mark == TOP_MARK_GONE ? NULL : main_of(t, s),
		.has_below = s->processes > 1 };

	if (!top_match_session(&t->match, s)) {
		t->hidden++;
		return;
	}
	row.is_unfolded = row.has_below && is_unfolded(t, &s->id);
	add_row(t, &row);
	if (row.is_unfolded && row.process)
		add_below(t, s);
}

static int compare_sessions(
	const struct top *t, const struct top_session *x, const struct top_session *y)
{
	int result = top_column_compare(t->sort, x, y);

	if (t->is_reversed)
		result = -result;
	if (!result)
		result = (x->id.start_ticks > y->id.start_ticks) -
			 (x->id.start_ticks < y->id.start_ticks);
	return result ? result : (x->id.pid > y->id.pid) - (x->id.pid < y->id.pid);
}

/* Decides whether all processes of sessions have a place, as on a large screen. A process that
 * comes or goes folds nothing at once. */
static void find_room(struct top *t)
{
	size_t rows = t->canvas.rows > 0 ? (size_t)t->canvas.rows : 0, wanted = 0, position = 0;
	const struct top_session *s;

	while ((s = top_session_next(&t->model, &position)))
		wanted += s->processes + 1;
	t->has_room = rows >= UNFOLDS_FROM && wanted <= (t->has_room ? rows / 2 : rows * 2 / 5);
}

static void add_sessions(struct top *t)
{
	struct top_session *list[TOP_SESSIONS_MAX], *s;
	size_t count = 0, position = 0;

	find_room(t);
	/* By insertion: they are few, and qsort_r(3) differs between systems. */
	while (count < TOP_SESSIONS_MAX && (s = top_session_next(&t->model, &position))) {
		size_t at = count++;

		for (; at && compare_sessions(t, s, list[at - 1]) < 0; at--)
			list[at] = list[at - 1];
		list[at] = s;
	}
	for (size_t i = 0; i < count; i++) {
		if (!top_session_is_past(&t->model, list[i]))
			add_session(t, list[i]);
	}
}

/* Returns whether one session left both. */
static bool have_same_origin(
	const struct top *t, const struct top_process *a, const struct top_process *b)
{
	static const char *const fields[] = { "session_id", "session_agent", "project" };
	char x[96], y[96];
	bool are_same = true;

	for (size_t i = 0; i < ARRAY_SIZE(fields) && are_same; i++) {
		top_word(t->model.schema, fields[i], a->row, x, sizeof(x));
		top_word(t->model.schema, fields[i], b->row, y, sizeof(y));
		are_same = !strcmp(x, y);
	}
	return are_same;
}

/* Adds a row behind the last one that the same session left; the first one has a heading. Children
 * come after their parents: that is the order of the report. */
static void add_left(struct top *t, const struct top_process *p, size_t begin)
{
	size_t count = top_row_count(t), at = count;
	struct top_row *rows, row = { .kind = TOP_ROW_LEFT_OVER, .id = p->id, .process = p };

	for (size_t i = begin; i < count; i++) {
		const struct top_row *other = top_row_at(t, i);

		if (have_same_origin(t, other->process, p))
			at = i + 1;
		if (other->id.pid == p->ppid)
			row.depth = other->depth + 1;
	}
	row.has_heading = at == count &&
			  (at == begin || !have_same_origin(t, top_row_at(t, at - 1)->process, p));
	add_row(t, &row);
	rows = top_row_at(t, 0);
	if (top_row_count(t) > count) {
		memmove(&rows[at + 1], &rows[at], (count - at) * sizeof(row));
		rows[at] = row;
	}
}

/* Adds processes of no running session that are listed all the same: orphans, servers without a
 * client. */
static void add_left_over(struct top *t)
{
	size_t begin = top_row_count(t);

	buffer_each (const struct top_process, p, &t->model.processes) {
		char flags[64];

		if (p->session || !top_word(t->model.schema, "flags", p->row, flags, sizeof(flags)))
			continue;
		if (top_match_process(&t->match, t->model.schema, p))
			add_left(t, p, begin);
		else
			t->hidden++;
	}
}

/* Adds the rows of a tree, in the order of the report. */
static void add_tree(struct top *t)
{
	unsigned hidden_from = 0;

	for (size_t i = 0; i < top_process_count(&t->model); i++) {
		const struct top_process *p = top_process_at(&t->model, i);
		const struct top_process *next =
			i + 1 < top_process_count(&t->model) ? p + 1 : NULL;
		struct top_row row = { .kind = TOP_ROW_PROCESS,
			.id = p->id,
			.session = p->session,
			.process = p,
			.depth = p->depth,
			.has_below = next && next->depth > p->depth };

		if (hidden_from && p->depth >= hidden_from)
			continue;
		hidden_from = 0;
		if (!top_match_process(&t->match, t->model.schema, p)) {
			t->hidden++;
			continue;
		}
		/* In the tree everything is unfolded, but for what the user folded. */
		row.is_unfolded = is_unfolded(t, &p->id);
		if (row.has_below && !row.is_unfolded)
			hidden_from = p->depth + 1;
		add_row(t, &row);
	}
}

/* --- all processes in an order --- */

struct ordered {
	const struct top_process *process;
	double number;
	char text[64];
};

static int compare_by_value(const void *a, const void *b)
{
	const struct ordered *x = a, *y = b;
	int result = (x->number > y->number) - (x->number < y->number);

	if (!result)
		result = strcasecmp(x->text, y->text);
	return result ? result
		      : (x->process->id.pid > y->process->id.pid) -
				(x->process->id.pid < y->process->id.pid);
}

/* Numbers but PIDs begin with the largest; what has none comes last. */
static void fill_ordered(const struct top *t, const struct top_process *p, struct ordered *o)
{
	const struct top_column *column = &top_columns[t->sort];

	*o = (struct ordered){ .process = p };
	if (!column->is_number)
		top_word(t->model.schema, column->field, p->row, o->text, sizeof(o->text));
	else if (!top_number(t->model.schema, column->field, p->row, &o->number))
		o->number = HUGE_VAL;
	else if (top_column_falls(column))
		o->number = -o->number;
}

static void add_flat(struct top *t)
{
	size_t count = 0, all = top_process_count(&t->model);
	struct ordered *list = calloc(all + 1, sizeof(*list));

	for (size_t i = 0; list && i < all; i++) {
		const struct top_process *p = top_process_at(&t->model, i);

		if (top_match_process(&t->match, t->model.schema, p))
			fill_ordered(t, p, &list[count++]);
		else
			t->hidden++;
	}
	if (count)
		qsort(list, count, sizeof(*list), compare_by_value);
	for (size_t i = 0; i < count; i++) {
		const struct top_process *p = list[t->is_reversed ? count - 1 - i : i].process;

		add_row(t, &(struct top_row){ .kind = TOP_ROW_PROCESS,
				   .id = p->id,
				   .session = p->session,
				   .process = p });
	}
	free(list);
}

/* --- the selected row --- */

/* Follows the selected row, which stays where it is on the screen. A key that comes right after a
 * frame must not act on the process that moved into its place. */
static void follow_pick(struct top *t, bool is_frame)
{
	size_t count = top_row_count(t), was = t->picked;
	/* The first row of the order, until the user selects one. */
	bool is_first = t->is_flat && !t->has_moved;

	for (size_t i = 0; !is_first && i < count; i++) {
		if (!process_id_equal(&top_row_at(t, i)->id, &t->picked_id))
			continue;
		t->picked = i;
		t->is_pick_gone = false;
		t->first = t->first + i > was ? t->first + i - was : 0;
		return;
	}
	if (is_first)
		t->picked = t->first = 0;
	if (t->picked >= count)
		t->picked = count ? count - 1 : 0;
	t->is_pick_gone |= is_frame && !is_first && t->picked_id.pid;
	if (count && !t->is_pick_gone)
		t->picked_id = top_row_at(t, t->picked)->id;
}

static void arrange_rows(struct top *t, bool is_frame)
{
	buffer_reset(&t->rows);
	t->hidden = 0;
	if (!t->model.schema)
		return;
	top_match_prepare(&t->match, &t->model);
	if (t->is_flat) {
		add_flat(t);
	} else if (t->is_tree) {
		add_tree(t);
	} else {
		add_sessions(t);
		add_left_over(t);
	}
	top_findings_note(t);
	follow_pick(t, is_frame);
}

void top_arrange(struct top *t)
{
	arrange_rows(t, false);
}

void top_arrange_frame(struct top *t)
{
	arrange_rows(t, true);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a frame to the rows on display: what is new, changed or gone since the previous frame, the
 * filter, the order, and the tree where rows have a parent. Rows are known by their process and
 * key fields.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "cli/screen/screen_state.h"
#include "model/batch.h"
#include "model/field.h"
#include "model/schema.h"

#define DEPTH_MAX 64

struct screen_table *screen_table(struct screen *s)
{
	struct screen_frame *f = screen_current(s);
	size_t i;

	if (!s->has_frame || !f->table_count)
		return NULL;
	i = s->table % f->table_count;
	return s->is_tree && f->trees[i].schema ? &f->trees[i] : &f->tables[i];
}

const char *screen_sort(const struct screen *s, const struct screen_table *t, bool *is_ascending)
{
	*is_ascending = s->sort ? s->is_ascending : !t->is_descending;
	return s->sort ? s->sort : t->sort;
}

void screen_cell(
	struct buffer *out, const struct sooth_field *field, const struct sooth_record *record)
{
	struct sooth_value v = sooth_field_get(field, record);

	buffer_reset(out);
	value_format(out, field, &v);
}

/* --- what a row is --- */

static uint64_t row_key(
	const struct screen_table *t, const struct sooth_record *r, struct buffer *scratch)
{
	uint64_t hash = hash_bytes(HASH_BEGIN, &r->start_ticks, sizeof(r->start_ticks));

	hash = hash_bytes(hash, &r->pid, sizeof(r->pid));
	buffer_reset(scratch);
	if (schema_row_key(scratch, t->schema, r))
		hash = hash_bytes(hash, scratch->data, scratch->size);
	return hash;
}

/* A change of verdict or role counts; values and states change all the time. */
static bool is_changed(
	const struct screen_table *t, const struct sooth_record *a, const struct sooth_record *b)
{
	for (size_t i = 0; i < t->schema->field_count; i++) {
		const struct sooth_field *f = &t->schema->fields[i];
		struct sooth_value x, y;

		if (f->type != SOOTH_FIELD_BOOL && f->type != SOOTH_FIELD_ENUM)
			continue;
		x = sooth_field_get(f, a);
		y = sooth_field_get(f, b);
		if (x.state == SOOTH_STATE_VALUE && y.state == SOOTH_STATE_VALUE && x.u != y.u)
			return true;
	}
	return false;
}

static struct batch table_batch(const struct screen_table *t)
{
	return (struct batch){ t->records.data, t->records.size };
}

static const struct screen_table *table_before(struct screen *s, const struct screen_table *now)
{
	struct screen_frame *f = screen_before(s);

	for (size_t i = 0; i < f->table_count; i++) {
		if (f->tables[i].schema == now->schema)
			return s->is_tree && f->trees[i].schema ? &f->trees[i] : &f->tables[i];
	}
	return NULL;
}

static void add_row(
	struct screen *s, const struct sooth_record *r, uint64_t key, enum screen_mark mark)
{
	struct screen_row row = { .record = r, .key = key, .mark = mark };

	if (screen_row_count(s) < SCREEN_ROWS_MAX)
		buffer_append(&s->rows, &row, sizeof(row));
}

static void collect(struct screen *s, const struct screen_table *t)
{
	const struct screen_table *old = t->is_of_interval ? NULL : table_before(s, t);
	struct batch now = table_batch(t), before = { 0 };
	struct buffer scratch = { 0 };
	struct map known;
	size_t position = 0;
	const void *key;
	void *value;

	map_init(&known, sizeof(uint64_t), sizeof(const struct sooth_record *), SCREEN_ROWS_MAX);
	if (old)
		before = table_batch(old);
	batch_for_each (r, &before) {
		uint64_t id = row_key(old, r, &scratch);
		const struct sooth_record **to = map_put(&known, &id, NULL);

		if (to)
			*to = r;
	}
	batch_for_each (r, &now) {
		uint64_t id = row_key(t, r, &scratch);
		const struct sooth_record **was = map_get(&known, &id);
		enum screen_mark mark = SCREEN_MARK_NONE;

		if (old && !was)
			mark = SCREEN_MARK_NEW;
		else if (was && is_changed(t, *was, r))
			mark = SCREEN_MARK_CHANGED;
		add_row(s, r, id, mark);
		map_remove(&known, &id);
	}
	while (map_next(&known, &position, &key, &value))
		add_row(s, *(const struct sooth_record **)value, *(const uint64_t *)key,
			SCREEN_MARK_GONE);
	map_fini(&known);
	buffer_fini(&scratch);
}

/* --- filter --- */

static bool has_text(const struct buffer *text, const char *wanted)
{
	size_t size = strlen(wanted);

	for (size_t i = 0; i + size <= text->size; i++) {
		if (!strncasecmp((const char *)text->data + i, wanted, size))
			return true;
	}
	return false;
}

static bool is_selected(const struct screen *s, const struct screen_table *t,
	const struct sooth_record *r, struct buffer *scratch)
{
	for (size_t i = 0; i < t->column_count; i++) {
		screen_cell(scratch, t->columns[i], r);
		if (has_text(scratch, s->filter))
			return true;
	}
	return false;
}

static void apply_filter(struct screen *s, const struct screen_table *t)
{
	struct buffer scratch = { 0 };
	size_t kept = 0, count = screen_row_count(s);

	s->hidden = 0;
	if (!s->filter[0])
		return;
	for (size_t i = 0; i < count; i++) {
		if (is_selected(s, t, screen_row_at(s, i)->record, &scratch))
			*screen_row_at(s, kept++) = *screen_row_at(s, i);
	}
	s->hidden = count - kept;
	s->rows.size = kept * sizeof(struct screen_row);
	buffer_fini(&scratch);
}

/* --- order --- */

struct screen_order {
	const struct sooth_field *field;
	int direction;
};

static int compare_values(const struct sooth_value *a, const struct sooth_value *b)
{
	switch (a->type) {
	case SOOTH_FIELD_REAL:
		return (a->f > b->f) - (a->f < b->f);
	case SOOTH_FIELD_SIGNED:
		return (a->i > b->i) - (a->i < b->i);
	case SOOTH_FIELD_TEXT:
	case SOOTH_FIELD_ARGS:
	case SOOTH_FIELD_CHARS:
		return span_compare(
			span_of(a->text.data, a->text.size), span_of(b->text.data, b->text.size));
	case SOOTH_FIELD_LIST:
	case SOOTH_FIELD_TEXTS:
	case SOOTH_FIELD_ROWS:
	case SOOTH_FIELD_HISTOGRAM:
	case SOOTH_FIELD_SERIES:
		return 0;
	default:
		return (a->u > b->u) - (a->u < b->u);
	}
}

/* Rows without a value come last, whatever the direction. */
static int by_field(const void *a, const void *b)
{
	const struct screen_row *p = a, *q = b;
	const struct screen_order *o = p->order;
	struct sooth_value x = sooth_field_get(o->field, p->record);
	struct sooth_value y = sooth_field_get(o->field, q->record);
	bool has_x = x.state == SOOTH_STATE_VALUE, has_y = y.state == SOOTH_STATE_VALUE;
	int result = 0;

	if (has_x && has_y)
		result = compare_values(&x, &y) * o->direction;
	else if (has_x != has_y)
		return has_x ? -1 : 1;
	if (!result)
		result = (p->record->pid > q->record->pid) - (p->record->pid < q->record->pid);
	return result;
}

static void apply_order(struct screen *s, const struct screen_table *t)
{
	struct screen_row *rows = (void *)s->rows.data;
	struct screen_order order = { .direction = s->is_ascending ? 1 : -1 };

	if (s->sort)
		order.field = sooth_schema_field(t->schema, s->sort);
	if (!order.field)
		return;
	/* In each row: qsort_r(3) differs between systems. */
	for (size_t i = 0; i < screen_row_count(s); i++)
		rows[i].order = &order;
	qsort(rows, screen_row_count(s), sizeof(*rows), by_field);
	for (size_t i = 0; i < screen_row_count(s); i++)
		rows[i].order = NULL;
}

/* --- tree --- */

struct tree {
	struct screen *s;
	const struct sooth_field *pid, *parent;
	struct map rows; /* uint64_t pid -> size_t, the row */
	/* Index of the row from 1 on; 0: none. */
	size_t *above, *first, *next;
	bool *is_taken;
	size_t hidden_from; /* depth below a folded row; 0: nothing is hidden */
	struct buffer out;
};

static uint64_t number_of(const struct sooth_field *f, const struct sooth_record *r)
{
	struct sooth_value v = sooth_field_get(f, r);

	return v.state == SOOTH_STATE_VALUE ? v.u : 0;
}

static size_t parent_of(const struct tree *t, size_t row)
{
	const struct sooth_record *r = screen_row_at(t->s, row)->record;
	uint64_t parent = number_of(t->parent, r);
	const size_t *found = parent ? map_get(&t->rows, &parent) : NULL;

	return found && *found != row ? *found + 1 : 0;
}

static void link_rows(struct tree *t, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t pid = number_of(t->pid, screen_row_at(t->s, i)->record);
		size_t *to = map_put(&t->rows, &pid, NULL);

		if (to)
			*to = i;
	}
	for (size_t i = count; i-- > 0;) {
		size_t parent = t->above[i] = parent_of(t, i);

		if (parent) {
			t->next[i] = t->first[parent - 1];
			t->first[parent - 1] = i + 1;
		}
	}
}

static void take(struct tree *t, size_t row, size_t depth)
{
	struct screen_row shown = *screen_row_at(t->s, row);

	t->is_taken[row] = true;
	if (t->hidden_from && depth < t->hidden_from)
		t->hidden_from = 0;
	shown.depth = depth < DEPTH_MAX ? (unsigned)depth : DEPTH_MAX;
	shown.has_below = t->first[row] != 0;
	shown.is_folded = map_get(&t->s->folded, &shown.key) != NULL;
	if (t->hidden_from)
		return;
	buffer_append(&t->out, &shown, sizeof(shown));
	if (shown.is_folded)
		t->hidden_from = depth + 1;
}

/* The first one from here on, among those beside, that is not taken yet. */
static size_t not_taken(const struct tree *t, size_t row)
{
	while (row && t->is_taken[row - 1])
		row = t->next[row - 1];
	return row;
}

/* Children come before siblings. No row is taken twice, so a ring of parents, as a hostile
 * target can show, is walked once. */
static void take_below(struct tree *t, size_t root)
{
	size_t at = root, depth = 0;

	t->hidden_from = 0;
	take(t, at, depth);
	for (;;) {
		size_t to = not_taken(t, t->first[at]);

		depth += to != 0;
		while (!to && at != root) {
			to = not_taken(t, t->next[at]);
			if (!to) {
				at = t->above[at] - 1;
				depth--;
			}
		}
		if (!to)
			return;
		at = to - 1;
		take(t, at, depth);
	}
}

static void take_all(struct tree *t, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!t->above[i])
			take_below(t, i);
	}
	for (size_t i = 0; i < count; i++) {
		if (!t->is_taken[i])
			take_below(t, i);
	}
}

static void apply_tree(struct screen *s, const struct screen_table *table)
{
	size_t count = screen_row_count(s);
	struct tree t = { .s = s,
		.pid = sooth_schema_field(table->schema, "pid"),
		.parent = sooth_schema_field(table->schema, "ppid"),
		.above = calloc(count + 1, sizeof(size_t)),
		.first = calloc(count + 1, sizeof(size_t)),
		.next = calloc(count + 1, sizeof(size_t)),
		.is_taken = calloc(count + 1, sizeof(bool)) };

	map_init(&t.rows, sizeof(uint64_t), sizeof(size_t), SCREEN_ROWS_MAX);
	if (s->is_tree && t.pid && t.parent && t.above && t.first && t.next && t.is_taken) {
		link_rows(&t, count);
		take_all(&t, count);
		if (!buffer_failed(&t.out)) {
			buffer_fini(&s->rows);
			s->rows = t.out;
			t.out = (struct buffer){ 0 };
		}
	}
	map_fini(&t.rows);
	buffer_fini(&t.out);
	free(t.above);
	free(t.first);
	free(t.next);
	free(t.is_taken);
}

/* --- the whole --- */

/* The selected row is followed; when it is gone its position is kept. */
static void follow_pick(struct screen *s)
{
	size_t count = screen_row_count(s);

	for (size_t i = 0; i < count; i++) {
		if (screen_row_at(s, i)->key == s->picked_key) {
			s->picked = i;
			return;
		}
	}
	if (s->picked >= count)
		s->picked = count ? count - 1 : 0;
	s->picked_key = count ? screen_row_at(s, s->picked)->key : 0;
}

void screen_arrange(struct screen *s)
{
	const struct screen_table *t = screen_table(s);

	buffer_reset(&s->rows);
	s->hidden = 0;
	if (!t)
		return;
	collect(s, t);
	apply_filter(s, t);
	apply_order(s, t);
	apply_tree(s, t);
	follow_pick(s);
}

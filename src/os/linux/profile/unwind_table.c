/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of .eh_frame (Linux Standard Base, 10.6: Exception Frames). */
#include "os/linux/profile/unwind_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "os/linux/profile/unwind_common.h"

#define COMMONS_MAX	65536
#define BUDGET_PER_BYTE 16 /* instructions: each has at least a byte, and common ones run again */
#define BUDGET_LEAST	4096
#define LENGTH_64	0xffffffffu

enum { RULE_NONE, RULE_END, RULE_OTHER, RULES_FIXED };

struct maker {
	struct unwind_table *table;
	const struct unwind_input *in;
	struct map rules;   /* struct unwind_rule -> uint32_t */
	struct map commons; /* uint64_t place -> struct unwind_common */
	struct buffer ends; /* uint32_t: ends of functions */
	uint64_t budget;
};

static struct cursor cursor_over_frames(const struct maker *m, uint64_t at, uint64_t end)
{
	const unsigned char *frames = m->in->frames;

	return cursor_over(frames + at, end > at ? (size_t)(end - at) : 0);
}

static uint64_t place_of(const struct maker *m, const struct cursor *c)
{
	return m->in->address + (uint64_t)(c->at - (const unsigned char *)m->in->frames);
}

/* --- what functions have in common --- */

/* Returns the CIE at a place; NULL: it is none, or not understood. */
static const struct unwind_common *common_at(struct maker *m, uint64_t place)
{
	struct cursor c = cursor_over_frames(m, place, m->in->size);
	uint32_t length = cursor_u32(&c);
	struct unwind_common *common = map_get(&m->commons, &place);
	struct unwind_common read;

	if (common)
		return common->code_align ? common : NULL;
	if (c.failed || length == LENGTH_64 || length > cursor_left(&c) || cursor_u32(&c))
		return NULL;
	c.end = (const unsigned char *)m->in->frames + place + 4 + length;
	if (!unwind_common_read(&c, m->in->machine, &m->budget, &read))
		read.code_align = 0;
	common = map_put(&m->commons, &place, NULL);
	if (!common)
		return NULL;
	*common = read;
	return common->code_align ? common : NULL;
}

/* --- rows --- */

static uint32_t rule_number(struct maker *m, struct unwind_rule rule)
{
	bool is_new;
	uint32_t *number = map_put(&m->rules, &rule, &is_new);

	if (!number)
		return RULE_OTHER;
	if (is_new) {
		*number = (uint32_t)(m->rules.count - 1);
		buffer_append(&m->table->rules, &rule, sizeof(rule));
	}
	return *number;
}

/* Finds the offset of an address in the file. False: it is not in loaded code, or too far in the
 * file. */
static bool offset_of(const struct maker *m, uint64_t address, uint64_t size, uint64_t *offset)
{
	for (size_t i = 0; i < m->in->segment_count; i++) {
		const struct unwind_segment *s = &m->in->segments[i];

		if (address < s->address || address - s->address >= s->size ||
			size > s->size - (address - s->address))
			continue;
		*offset = s->offset + (address - s->address);
		return *offset + size <= UINT32_MAX;
	}
	return false;
}

static void add_row(struct maker *m, uint64_t offset, uint32_t rule)
{
	struct unwind_row row = { (uint32_t)offset, rule };

	if (m->table->rows.size / sizeof(row) >= UNWIND_ROWS_MAX)
		m->table->is_cut = true;
	else
		buffer_append(&m->table->rows, &row, sizeof(row));
}

static void run_function(
	struct maker *m, struct unwind_run *run, struct cursor *c, uint64_t offset, uint64_t size)
{
	uint64_t begin = run->address, next;
	uint32_t end = (uint32_t)(offset + size), last = UINT32_MAX, rule;
	bool goes_on;

	do {
		goes_on = unwind_run_advance(run, c, &next);
		rule = run->is_unknown || c->failed ? (uint32_t)RULE_OTHER
						    : rule_number(m, unwind_rule_of(run));
		if (rule != last)
			add_row(m, offset + (run->address - begin),
				rule | (last == UINT32_MAX ? UNWIND_IS_ENTRY : 0));
		last = rule;
		/* Instructions for addresses behind the function have no effect. */
		goes_on = goes_on && next > run->address && next - begin < size;
		run->address = goes_on ? next : run->address;
	} while (goes_on && !m->table->is_cut);
	buffer_append(&m->ends, &end, sizeof(end));
}

/* Adds a function, behind its length and the distance to its CIE. False: it is not understood. */
static bool add_function(struct maker *m, struct cursor *c, const struct unwind_common *common)
{
	struct unwind_run run = { .budget = m->budget };
	uint64_t place = place_of(m, c), address, size, offset, skip;

	if (common->encoding == POINTER_OMITTED || common->encoding & POINTER_OTHER)
		return false;
	address = unwind_pointer(c, common->encoding);
	if (common->encoding & POINTER_RELATIVE)
		address += place;
	size = unwind_pointer(c, common->encoding & POINTER_FORM);
	skip = common->has_size ? unwind_uleb(c) : 0;
	cursor_bytes(c, skip > cursor_left(c) ? SIZE_MAX : (size_t)skip);
	if (c->failed || !size || !offset_of(m, address, size, &offset))
		return false;
	unwind_run_init(&run, m->in->machine, common);
	run.address = address;
	run_function(m, &run, c, offset, size);
	m->budget = run.budget;
	return true;
}

static void add_all_functions(struct maker *m)
{
	const unsigned char *frames = m->in->frames;
	struct cursor c = cursor_over(frames, m->in->size);

	while (!cursor_at_end(&c) && !m->table->is_cut) {
		uint32_t length = cursor_u32(&c);
		uint64_t at = (uint64_t)(c.at - frames);
		struct cursor one = cursor_over_frames(m, at, at + length);
		uint32_t distance = cursor_u32(&one);
		const struct unwind_common *common;

		/* This is the end, or a form that no program below 4 GB needs. */
		if (c.failed || !length || length > cursor_left(&c) || length < sizeof(distance))
			break;
		cursor_bytes(&c, length);
		if (!m->budget)
			m->table->is_cut = true;
		if (m->in->is_stopping && *m->in->is_stopping)
			break;
		if (!distance)
			continue;
		common = distance <= at ? common_at(m, at - distance) : NULL;
		if (!common || !add_function(m, &one, common))
			m->table->ignored++;
	}
}

/* --- the table --- */

static int compare_by_offset(const void *left, const void *right)
{
	const struct unwind_row *a = left, *b = right;

	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static int compare_by_number(const void *left, const void *right)
{
	const uint32_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* Merges the ends of functions into the rows: there is no rule behind a function unless another one
 * begins there. If a place has several rows, the first one holds. */
static void merge_ends(struct maker *m)
{
	struct buffer merged = { 0 };
	const struct unwind_row *rows = (const void *)m->table->rows.data;
	const uint32_t *ends = (const void *)m->ends.data;
	size_t row_count = m->table->rows.size / sizeof(*rows), row = 0;
	size_t end_count = m->ends.size / sizeof(*ends), end = 0;
	struct unwind_row last = { 0, UINT32_MAX };

	while (row < row_count || end < end_count) {
		bool is_end = row == row_count || (end < end_count && ends[end] < rows[row].offset);
		struct unwind_row next =
			is_end ? (struct unwind_row){ ends[end], RULE_NONE } : rows[row];

		row += !is_end;
		while (end < end_count && ends[end] <= next.offset)
			end++;
		if (last.rule != UINT32_MAX && next.offset == last.offset)
			continue;
		if (next.rule != last.rule || next.rule & UNWIND_IS_ENTRY)
			buffer_append(&merged, &next, sizeof(next));
		last = next;
	}
	if (buffer_failed(&merged))
		m->table->rows.failed = true;
	buffer_fini(&m->table->rows);
	m->table->rows = merged;
}

static void sort_rows(struct maker *m)
{
	if (m->table->rows.size)
		qsort(m->table->rows.data, m->table->rows.size / sizeof(struct unwind_row),
			sizeof(struct unwind_row), compare_by_offset);
	if (m->ends.size)
		qsort(m->ends.data, m->ends.size / sizeof(uint32_t), sizeof(uint32_t),
			compare_by_number);
}

bool unwind_table_make(struct unwind_table *t, const struct unwind_input *in)
{
	static const enum unwind_kind fixed[RULES_FIXED] = {
		[RULE_NONE] = UNWIND_NONE, [RULE_END] = UNWIND_END, [RULE_OTHER] = UNWIND_RULE
	};
	struct maker m = {
		.table = t, .in = in, .budget = BUDGET_LEAST + (uint64_t)in->size * BUDGET_PER_BYTE
	};
	bool is_made;

	*t = (struct unwind_table){ 0 };
	map_init(&m.rules, sizeof(struct unwind_rule), sizeof(uint32_t), UNWIND_RULES_MAX);
	map_init(&m.commons, sizeof(uint64_t), sizeof(struct unwind_common), COMMONS_MAX);
	for (size_t i = 0; i < RULES_FIXED; i++)
		rule_number(
			&m, (struct unwind_rule){ (int32_t)fixed[i], UNWIND_KEPT, UNWIND_KEPT });
	add_all_functions(&m);
	is_made = !buffer_failed(&t->rows) && !buffer_failed(&m.ends);
	if (is_made) {
		sort_rows(&m);
		merge_ends(&m);
	}
	is_made = is_made && !buffer_failed(&t->rules) && !buffer_failed(&t->rows) &&
		  !(in->is_stopping && *in->is_stopping);
	map_fini(&m.rules);
	map_fini(&m.commons);
	buffer_fini(&m.ends);
	return is_made;
}

void unwind_table_fini(struct unwind_table *t)
{
	assert(t);
	buffer_fini(&t->rules);
	buffer_fini(&t->rows);
}

size_t unwind_table_rows_to(const struct unwind_row *rows, size_t count, uint64_t offset)
{
	size_t from = 0, to = count;

	assert(count < 2 || rows[0].offset <= rows[count - 1].offset); /* sorted */
	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (rows[middle].offset <= offset)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

bool unwind_table_entry(
	const struct unwind_row *rows, size_t count, uint64_t offset, uint64_t *entry)
{
	size_t from = unwind_table_rows_to(rows, count, offset);

	while (from--) {
		if (rows[from].rule & UNWIND_IS_ENTRY) {
			*entry = rows[from].offset;
			return true;
		}
		if (rows[from].rule == RULE_NONE)
			return false;
	}
	return false;
}

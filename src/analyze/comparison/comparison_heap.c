/* SPDX-License-Identifier: BSD-2-Clause */
/* The answer about two captures with allocations: how much more memory is live, and which code
 * keeps it. */
#include <string.h>

#include "analyze/comparison/comparing.h"
#include "analyze/records.h"
#include "base/sentence_units.h"
#include "base/units.h"
#include "model/row_list.h"

#define FRAMES_NAMED 3
#define SHARE_NAMED  0.2 /* share of the difference from which a stack is named */
#define LONGER	     1.5 /* if one run lasted so many times as long, its length may be the cause */
#define ARROW	     " < "
#define ARROW_SIZE   3
#define LITTLE_BYTES 1024

#define HEAP_CHANGE_ROW(F, S)                                                                      \
	F(S, U64, live_before_bytes, ALWAYS, "live at the end of the first capture",               \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, live_bytes, ALWAYS, "live at the end of the second capture",                     \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, peak_before_bytes, ALWAYS, "peak of live memory in the first capture",           \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, peak_bytes, ALWAYS, "peak of live memory in the second capture",                 \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, TEXT, text, ALWAYS, "the answer as a sentence", .is_hidden = true)

ROW_TABLE(heap_change, HEAP_CHANGE_ROW, "diff.heap", heap_change_row, .line = "{text}");

static const struct section heap_section = SECTION_OF("heap_change", heap_change_schema, OBJECT);

static bool is_row_of_schema(const struct compared_row *row, const char *schema)
{
	return !strcmp(row->schema->name, schema);
}

/* Returns false if the value was not measured. */
static bool get_unsigned(const struct compared_row *row, const char *field, uint64_t *out)
{
	struct sooth_value v = value_named(row->schema, row->record, field);

	if (v.state != SOOTH_STATE_VALUE || v.type != SOOTH_FIELD_UNSIGNED)
		return false;
	*out = v.u;
	return true;
}

static bool get_totals(const struct compared_rows *rows, uint64_t *live, uint64_t *peak)
{
	buffer_each (const struct compared_row, row, &rows->rows) {
		if (is_row_of_schema(row, "heap.totals"))
			return get_unsigned(row, "live_bytes", live) &&
			       get_unsigned(row, "peak_bytes", peak);
	}
	return false;
}

/* The stack whose live memory differs most, in the direction of the total. */
struct most {
	const struct compared_rows *of;
	const struct compared_row *row; /* NULL: none */
	int64_t more;			/* bytes */
};

static void find_growth(struct most *m, struct compared_rows *rows, struct compared_rows *others)
{
	buffer_each (const struct compared_row, one, &rows->rows) {
		const struct compared_row *other;
		uint64_t here = 0, there = 0;
		int64_t more;

		if (!is_row_of_schema(one, "heap_stacks") ||
			!get_unsigned(one, "live_bytes", &here))
			continue;
		other = compared_rows_find(others, rows, one);
		if (other && !get_unsigned(other, "live_bytes", &there))
			continue;
		more = (int64_t)(here - there);
		if (more > m->more)
			*m = (struct most){ rows, one, more };
	}
}

/* Writes the code without the allocator's function and what the C library runs before main: "malloc
 * < keep < main < __libc_start_main". */
static void put_code(struct buffer *out, const struct most *m)
{
	const char *at = compared_text(m->of, &m->row->label);
	const char *next = strstr(at, ARROW), *library, *end;

	at = next ? next + ARROW_SIZE : at;
	end = at;
	for (int i = 0; i < FRAMES_NAMED && end; i++)
		end = strstr(i ? end + ARROW_SIZE : at, ARROW);
	library = strstr(at, ARROW "__libc_start");
	if (library && (!end || library < end))
		end = library;
	buffer_append(out, at, end ? (size_t)(end - at) : strlen(at));
}

static void put_lengths(const struct comparing *c, struct buffer *out)
{
	char a[UNITS_SIZE], b[UNITS_SIZE];

	if (c->a_s <= 0 || c->b_s <= 0 || (c->a_s < c->b_s * LONGER && c->b_s < c->a_s * LONGER))
		return;
	buffer_format(out, "; but the first was observed for %s, the second for %s",
		sentence_duration(a, comparison_side_ns(c->a.side)),
		sentence_duration(b, comparison_side_ns(c->b.side)));
}

static void put_answer(struct comparing *c, const struct heap_change_row *row, struct buffer *out)
{
	int64_t more = (int64_t)(row->live_bytes - row->live_before_bytes);
	int64_t size = more < 0 ? -more : more;
	struct most most = { 0 };
	char text[UNITS_SIZE];

	if (size < LITTLE_BYTES) {
		buffer_format(out, "as much memory from malloc is live: %s",
			sentence_size(text, row->live_bytes));
	} else {
		find_growth(&most, more > 0 ? &c->b : &c->a, more > 0 ? &c->a : &c->b);
		buffer_format(out, "%s %s live from malloc: ", sentence_size(text, (uint64_t)size),
			more > 0 ? "more is" : "less is");
		buffer_format(out, "%s, before ", sentence_size(text, row->live_bytes));
		buffer_string(out, sentence_size(text, row->live_before_bytes));
	}
	if (most.row && (double)most.more >= SHARE_NAMED * (double)size) {
		buffer_format(out, "; %s of it in ", sentence_size(text, (uint64_t)most.more));
		put_code(out, &most);
	}
	buffer_format(out, "; peak %s", sentence_size(text, row->peak_bytes));
	buffer_format(out, ", before %s", sentence_size(text, row->peak_before_bytes));
	put_lengths(c, out);
}

int comparing_emit_heap(struct comparing *c, struct sooth_error *err)
{
	struct heap_change_row row = { 0 };
	struct buffer text = { 0 };
	struct record_tail tail[1];
	int status = output_section(c->output, &heap_section, err);

	if (status || !get_totals(&c->a, &row.live_before_bytes, &row.peak_before_bytes) ||
		!get_totals(&c->b, &row.live_bytes, &row.peak_bytes))
		return status;
	put_answer(c, &row, &text);
	tail[0] = tail_buffer(&row.text, &text);
	status = buffer_failed(&text) ? error_no_memory(err)
				      : OUTPUT_ROW(c->output, &row, tail, 1, err);
	buffer_fini(&text);
	return status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/stacks/stack_goroutines.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "analyze/waits/wait_goroutines.h"
#include "analyze/waits/wait_sentences.h"
#include "base/cleanup.h"

#define GROUPS_SHOWN 8 /* in the short form */

ROW_SCHEMA(stack_goroutines, STACK_GOROUTINES_ROW, "stack.goroutines", stack_goroutines_row,
	.line = "{text}");

static int compare_by_weight(const void *left, const void *right)
{
	const struct waits_goroutines *a = *(const struct waits_goroutines *const *)left;
	const struct waits_goroutines *b = *(const struct waits_goroutines *const *)right;

	if (a->is_main != b->is_main)
		return a->is_main ? -1 : 1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return a < b ? -1 : a > b; /* as in the record */
}

static void put_place(struct buffer *out, const struct waits_goroutines *w)
{
	struct span by = record_text(&w->record, &w->by), at = record_text(&w->record, &w->at);

	if (w->at_state || !(by.size || at.size))
		return;
	buffer_format(out, " in %.*s", SPAN_ARGS(by.size ? by : at));
	if (by.size && at.size)
		buffer_format(out, ", called by %.*s", SPAN_ARGS(at));
}

static void put_sentence(struct buffer *out, const struct waits_goroutines *w)
{
	struct span start = record_text(&w->record, &w->start);
	bool is_one = w->count == 1;
	char length[WAIT_DURATION_SIZE];

	if (w->is_main)
		buffer_string(out, "main goroutine ");
	else
		buffer_format(out, "%" PRIu64 " goroutine%s ", w->count, is_one ? "" : "s");
	if (w->state == WAITS_GOROUTINE_WAITS) {
		buffer_string(out, is_one ? "waits " : "wait ");
		wait_goroutines_text(out, w);
	} else {
		buffer_string(
			out, w->state == WAITS_GOROUTINE_CALLS
				     ? (is_one ? "is in a system call" : "are in system calls")
				     : (is_one ? "runs or could run" : "run or could run"));
		put_place(out, w);
	}
	if (!w->longest_state)
		buffer_format(out, ", %sfor at least %s", is_one ? "" : "one ",
			wait_duration(length, w->longest_ns));
	if (start.size && !w->is_main && span_compare(start, record_text(&w->record, &w->by)) &&
		span_compare(start, record_text(&w->record, &w->at)))
		buffer_format(out, "; began with %.*s", SPAN_ARGS(start));
}

static void put_row(struct buffer *rows, const struct waits_goroutines *w)
{
	struct buffer text = { 0 };
	struct stack_goroutines_row row = { .record = row_head_like(&w->record),
		.count = w->count,
		.count_state = w->count_state,
		.state = w->state,
		.is_main = w->is_main,
		.reason_state = w->reason_state,
		.longest_ns = w->longest_ns,
		.longest_state = w->longest_state,
		.at_state = w->at_state };

	put_sentence(&text, w);
	struct record_tail tail[] = {
		tail_span(&row.reason, record_text(&w->record, &w->reason)),
		tail_span(&row.by, record_text(&w->record, &w->by)),
		tail_span(&row.at, record_text(&w->record, &w->at)),
		tail_span(&row.start, record_text(&w->record, &w->start)),
		tail_buffer(&row.text, &text),
	};
	RECORD_APPEND(rows, &row, tail, ARRAY_SIZE(tail));
	buffer_fini(&text);
}

uint64_t stack_goroutine_rows(
	struct buffer *rows, const struct wait_graph *g, uint32_t pid, bool is_short)
{
	struct buffer groups = { 0 };
	const struct waits_goroutines **all;
	uint64_t goroutines = 0;
	size_t count;

	assert(rows && g);
	wait_goroutines_each (g, pid, w) {
		buffer_append(&groups, &w, sizeof(w));
		goroutines += w->count;
	}
	if (buffer_failed(&groups) || !groups.size)
		goto out;
	all = (void *)groups.data;
	count = groups.size / sizeof(*all);
	qsort(all, count, sizeof(*all), compare_by_weight);
	for (size_t i = 0; i < count && (!is_short || i < GROUPS_SHOWN); i++)
		put_row(rows, all[i]);
out:
	buffer_fini(&groups);
	return goroutines;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/tally.h"

#include <assert.h>
#include <string.h>

#define ROWS_MAX 4096

struct tally_key {
	char text[TALLY_TEXT];
};

void tally_init(struct tally *t)
{
	assert(t);
	map_init(&t->rows, sizeof(struct tally_key), sizeof(struct tally_row), ROWS_MAX);
}

void tally_fini(struct tally *t)
{
	map_fini(&t->rows);
}

struct tally_row *tally_add(struct tally *t, struct span text, bool is_last)
{
	struct tally_key key = { { 0 } };
	struct tally_row *row;

	assert(t);
	memcpy(key.text, text.data, text.size < TALLY_TEXT ? text.size : TALLY_TEXT - 1);
	row = map_put(&t->rows, &key, NULL);
	if (!row)
		return NULL;
	memcpy(row->text, key.text, sizeof(row->text));
	row->first += !is_last;
	row->last += is_last;
	return row;
}

int64_t tally_gain(const struct tally_row *row)
{
	return row->last - row->first;
}

int64_t tally_last(const struct tally_row *row)
{
	return row->last;
}

size_t tally_top(const struct tally *t, tally_weight weight, struct tally_row *out, size_t most)
{
	size_t count = 0;

	assert(t);
	map_for_each_value (&t->rows, const struct tally_row *, row) {
		size_t at = count < most ? count : most;

		if (weight(row) <= 0)
			continue;
		count += count < most;
		for (; at && (weight(row) > weight(&out[at - 1]) ||
				     (weight(row) == weight(&out[at - 1]) &&
					     strcmp(row->text, out[at - 1].text) < 0));
			at--) {
			if (at < most)
				out[at] = out[at - 1];
		}
		if (at < most)
			out[at] = *row;
	}
	return count;
}

/* --- threads --- */

void thread_top_add(struct thread_top *top, const struct thread_history *t, thread_value value)
{
	size_t at;

	assert(top);
	at = top->count < THREAD_TOP ? top->count : THREAD_TOP;
	top->count++;
	for (; at && value(t) > value(top->all[at - 1]); at--) {
		if (at < THREAD_TOP)
			top->all[at] = top->all[at - 1];
	}
	if (at < THREAD_TOP)
		top->all[at] = t;
}

void thread_top_emit(const struct thread_top *top, struct check_result *out,
	void (*put)(struct buffer *text, const struct thread_history *t))
{
	assert(top);
	for (size_t i = 0; i < top->count && i < THREAD_TOP; i++) {
		struct buffer text = { 0 };

		put(&text, top->all[i]);
		finding_text(out, "thread", "%s (%u)%s", top->all[i]->name, top->all[i]->tid,
			buffer_cstr(&text));
		buffer_fini(&text);
	}
	if (top->count > THREAD_TOP)
		finding_text(out, "more threads", "%zu", top->count - THREAD_TOP);
}

enum thread_role thread_top_role(const struct thread_history *t)
{
	assert(t);
	return thread_role_of(span_of_string(t->name), span_of("", 0), t->tid == t->process.pid);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_tasks.h"

#include <assert.h>
#include <inttypes.h>

#include "base/cursor.h"

#define SHOWN_MAX   2
#define CALLERS_MAX 4

/* Returns the record if it has tasks of the process, else NULL. */
static const struct waits_tasks *tasks_in(const struct sooth_record *r, uint32_t pid)
{
	const struct waits_tasks *w = record_as(r, WAITS_TASKS, sizeof(*w));

	return w && w->node_pid == pid ? w : NULL;
}

static struct span start_of(const struct waits_tasks *w)
{
	return record_text(&w->record, &w->start);
}

/* Returns the group of tasks that awaits `w`; NULL: none. */
static const struct waits_tasks *awaiter_of(
	const struct wait_graph *g, uint32_t pid, const struct waits_tasks *w)
{
	struct span name = record_text(&w->record, &w->awaiter);

	if (w->awaiter_state)
		return NULL;
	batch_for_each (r, &g->records) {
		const struct waits_tasks *other = tasks_in(r, pid);

		if (other && other != w && !span_compare(start_of(other), name))
			return other;
	}
	return NULL;
}

/* Returns whether the tasks wait for something other than another task. */
static bool is_last(const struct waits_tasks *w)
{
	return w->is_waiting && !w->awaited && !w->at_state;
}

/* Returns whether the tasks rest: workers without work, and timers. */
static bool is_at_rest(const struct waits_tasks *w)
{
	struct span by = record_text(&w->record, &w->by);

	return span_equal(by, "Queue.get") || span_equal(by, "sleep") ||
	       span_equal(by, "Event.wait");
}

/* Appends a name, unless it equals the last: a task may wait in its own function. */
static void put_name(struct buffer *out, const char *first, struct span name, struct span *last)
{
	if (!name.size || !span_compare(name, *last))
		return;
	buffer_format(out, "%s%.*s", last->size ? " < " : first, (int)name.size, name.data);
	*last = name;
}

static void put_group(struct buffer *out, const struct wait_graph *g, uint32_t pid,
	const struct waits_tasks *w, bool is_first)
{
	struct span by = record_text(&w->record, &w->by), last = { 0 };
	const char *first = by.size ? ", called by " : " in ";

	buffer_format(out, is_first ? "; %" PRIu64 : ", and %" PRIu64, w->count);
	if (is_first)
		buffer_format(out,
			w->count == 1 ? " asyncio task of %u waits" : " asyncio tasks of %u wait",
			pid);
	if (by.size)
		buffer_format(out, " in %.*s", (int)by.size, by.data);
	put_name(out, first, record_text(&w->record, &w->at), &last);
	for (int i = 0; w && i < CALLERS_MAX; i++, w = awaiter_of(g, pid, w))
		put_name(out, first, start_of(w), &last);
}

void wait_put_tasks(struct buffer *out, const struct wait_graph *g, uint32_t pid)
{
	unsigned shown = 0;

	assert(out && g);
	for (int rests = 0; rests < 2; rests++) {
		batch_for_each (r, &g->records) {
			const struct waits_tasks *w = tasks_in(r, pid);

			if (w && shown < SHOWN_MAX && is_last(w) && is_at_rest(w) == rests)
				put_group(out, g, pid, w, !shown++);
		}
	}
}

void wait_put_unread_tasks(struct buffer *out, const struct wait_graph *g, uint32_t pid)
{
	assert(out && g);
	batch_for_each (r, &g->records) {
		const struct waits_tasks *w = tasks_in(r, pid);

		if (!w || w->count_state <= SOOTH_STATE_TRUNCATED)
			continue;
		buffer_string(out, "; its asyncio tasks were not read: ");
		buffer_string(out, w->count_state == SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)
					   ? "only Python 3.14 and later show where they are"
					   : "its memory could not be read");
		return;
	}
}

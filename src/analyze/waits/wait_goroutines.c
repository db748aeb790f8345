/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_goroutines.h"

#include <assert.h>

#include "base/cleanup.h"
#include "base/cursor.h"

/* Go's wait reasons (runtime/runtime2.go, waitReasonStrings), and what they mean to a user. */
static const struct {
	const char *reason, *text;
	bool wants_goroutine;
} reasons[] = {
	{ "chan receive", "for data from a channel", false },
	{ "chan send", "until a channel takes its data", true },
	{ "chan receive (nil chan)", "for data from a nil channel, without end", true },
	{ "chan send (nil chan)", "for a nil channel, without end", true },
	{ "select", "in select", false },
	{ "select (no cases)", "in select {}, without end", false },
	{ "semacquire", "for another goroutine", true },
	{ "sync.Mutex.Lock", "for a mutex", true },
	{ "sync.RWMutex.Lock", "for a lock to write", true },
	{ "sync.RWMutex.RLock", "for a lock to read", true },
	{ "sync.WaitGroup.Wait", "for a WaitGroup", true },
	{ "sync.Cond.Wait", "on a condition", true },
};

static int reason_of(const struct waits_goroutines *w)
{
	struct span reason = record_text(&w->record, &w->reason);

	for (size_t i = 0;
		w->state == WAITS_GOROUTINE_WAITS && !w->reason_state && i < ARRAY_SIZE(reasons);
		i++) {
		if (span_equal(reason, reasons[i].reason))
			return (int)i;
	}
	return -1;
}

const struct waits_goroutines *wait_goroutines_next(
	const struct wait_graph *g, uint32_t pid, const struct waits_goroutines *before)
{
	bool is_behind = !before;

	assert(g);
	batch_for_each (r, &g->records) {
		const struct waits_goroutines *w = record_as(r, WAITS_GOROUTINES, sizeof(*w));

		if (w && w->node_pid == pid && is_behind)
			return w;
		is_behind |= w && w == before;
	}
	return NULL;
}

bool wait_goroutines_want_lock(const struct waits_goroutines *w)
{
	assert(w);

	struct span by = record_text(&w->record, &w->by);

	/* Before Go 1.20 the reason of all these waits is "semacquire". RLock is inlined, so the
	 * function that it calls is seen. */
	return reason_of(w) >= 0 && !w->at_state &&
	       (span_starts(by, "sync.(*Mutex).") || span_starts(by, "sync.(*RWMutex).") ||
		       span_starts(by, "sync.runtime_SemacquireMutex") ||
		       span_starts(by, "sync.runtime_SemacquireRWMutex"));
}

bool wait_goroutines_want_to_write(const struct waits_goroutines *w)
{
	assert(w);
	return wait_goroutines_want_lock(w) &&
	       span_starts(record_text(&w->record, &w->by), "sync.(*RWMutex).Lock");
}

bool wait_goroutines_send(const struct waits_goroutines *w)
{
	assert(w);

	int i = reason_of(w);

	return i >= 0 && !w->is_main && span_equal(span_of_string(reasons[i].reason), "chan send");
}

bool wait_goroutines_want_goroutine(const struct waits_goroutines *w)
{
	int i = reason_of(w);

	return i >= 0 && reasons[i].wants_goroutine;
}

bool wait_goroutines_want_channel(const struct waits_goroutines *w)
{
	int i = reason_of(w);

	return i >= 0 && !reasons[i].wants_goroutine;
}

bool wait_goroutines_want_event(const struct waits_goroutines *w)
{
	assert(w);

	struct span reason = record_text(&w->record, &w->reason);

	return w->state == WAITS_GOROUTINE_WAITS && !w->reason_state &&
	       (span_equal(reason, "IO wait") || span_equal(reason, "sleep"));
}

void wait_goroutines_text(struct buffer *out, const struct waits_goroutines *w)
{
	assert(w);

	struct span by = record_text(&w->record, &w->by), at = record_text(&w->record, &w->at);
	struct span reason = record_text(&w->record, &w->reason);
	int i = reason_of(w);

	if (wait_goroutines_want_lock(w)) {
		buffer_format(out, "for a %s in %.*s",
			span_contains(by, "RWMutex")	    ? "read-write lock"
			: span_starts(by, "sync.(*Mutex).") ? "mutex"
							    : "lock",
			(int)at.size, at.data);
		return;
	}
	if (!w->at_state && by.size) {
		buffer_format(out, "in %.*s", (int)by.size, by.data);
		if (at.size)
			buffer_format(out, ", called by %.*s", (int)at.size, at.data);
		return;
	}
	if (i >= 0)
		buffer_string(out, reasons[i].text);
	else
		buffer_format(out, "(%.*s)", (int)reason.size, reason.data);
	if (!w->at_state && at.size)
		buffer_format(out, " in %.*s", (int)at.size, at.data);
}

void wait_put_main_goroutine(struct buffer *out, const struct wait_graph *g, uint32_t pid)
{
	const struct waits_goroutines *w = NULL;

	while ((w = wait_goroutines_next(g, pid, w))) {
		if (!w->is_main || reason_of(w) < 0)
			continue;
		buffer_string(out, "; its main goroutine waits ");
		wait_goroutines_text(out, w);
		return;
	}
}

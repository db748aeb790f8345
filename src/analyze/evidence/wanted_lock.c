/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/wanted_lock.h"

#include <assert.h>
#include <string.h>

#include "base/sentence_units.h"

static const struct waits_wanted *longest_in(const struct snapshot *s)
{
	const struct waits_wanted *longest = NULL;

	snapshot_each (struct waits_wanted, w, s, WAITS_WANTED) {
		if (!longest || w->longest_ns > longest->longest_ns)
			longest = w;
	}
	return longest;
}

const struct waits_wanted *wanted_lock_last(
	const struct diagnosis_input *input, const struct process_id *id)
{
	assert(input);

	const struct waits_wanted *last = longest_in(snapshots_get(&input->waits.last, id));
	const struct waits_wanted *first =
		last ? NULL : longest_in(snapshots_get(&input->waits.first, id));

	/* A process that polls for the lock is not asleep in each sample. */
	return first && first->is_polled ? first : last;
}

bool wanted_lock_lasts(const struct check *e, const struct waits_wanted *last)
{
	assert(e);

	assert(last);
	if (last->is_polled)
		return true;
	snapshot_each (struct waits_wanted, w, check_first(e, &e->input->waits), WAITS_WANTED) {
		if (w->session_pid == last->session_pid && w->is_polled == last->is_polled &&
			!span_compare(record_text(&w->record, &w->detail),
				record_text(&last->record, &last->detail)))
			return true;
	}
	return false;
}

void wanted_lock_put(struct buffer *out, const struct waits_wanted *w)
{
	assert(w);

	struct span name = record_text(&w->record, &w->waiter_name);
	const char *what = w->source == WAITS_SOURCE_TITLE ? "database session" : "process";
	const char *plural = w->source == WAITS_SOURCE_TITLE ? "s" : "es";
	char time[UNITS_SIZE];

	buffer_format(out, "%u %s%s %s", w->waiters, what, w->waiters == 1 ? "" : plural,
		w->is_polled	  ? w->waiters == 1 ? "tries" : "try"
		: w->waiters == 1 ? "waits"
				  : "wait");
	buffer_string(out, w->is_polled ? " again and again to get it" : " for it");
	if (!w->waiter_pid)
		return;
	buffer_format(out, ", %s%.*s (%u)",
		w->waiters > 1 && !w->longest_state ? "the longest, " : "", (int)name.size,
		name.data, w->waiter_pid);
	if (!w->longest_state)
		buffer_format(out, ", for %s", sentence_duration(time, w->longest_ns));
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/check_waits.h"

const struct fds_descriptor *check_descriptor(const struct check *e, uint32_t fd)
{
	const struct snapshot *last = check_last(e, &e->input->fds);
	struct batch all = last ? snapshot_records(last) : (struct batch){ 0 };

	batch_for_each (r, &all) {
		const struct fds_descriptor *d = record_as(r, FDS_DESCRIPTOR, sizeof(*d));

		if (d && d->fd == fd)
			return d;
	}
	return NULL;
}

bool check_is_one_wait(const struct check *e, const struct thread_history *t)
{
	return t->met >= check_option(e, "min-readings") &&
	       (double)thread_history_ns(t) >= check_option(e, "min-time") &&
	       t->first.cpu_ns == t->last.cpu_ns && !t->switches_state &&
	       t->first.voluntary_switches == t->last.voluntary_switches &&
	       t->first.involuntary_switches == t->last.involuntary_switches;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* See exam_waits.h. */
#include "analyze/judging/exam_waits.h"

const struct fds_descriptor *exam_descriptor(const struct exam *e, uint32_t fd)
{
	const struct snapshot *last = exam_last(e, &e->readings->fds);
	struct batch all = last ? snapshot_records(last) : (struct batch){ 0 };

	batch_for_each (r, &all) {
		const struct fds_descriptor *d = record_as(r, FDS_DESCRIPTOR, sizeof(*d));

		if (d && d->fd == fd)
			return d;
	}
	return NULL;
}

bool exam_is_one_wait(const struct exam *e, const struct thread_history *t)
{
	return t->met >= exam_option(e, "min-readings") &&
	       (double)thread_history_ns(t) >= exam_option(e, "min-time") &&
	       t->first.cpu_ns == t->last.cpu_ns && !t->switches_state &&
	       t->first.voluntary_switches == t->last.voluntary_switches &&
	       t->first.involuntary_switches == t->last.involuntary_switches;
}

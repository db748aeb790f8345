/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/managed_heap.h"

#include <assert.h>

#include "probes/maps.h"

NUMBER(COLLECTIONS_LEAST, 2, NONE, "a single one may have freed nothing by chance");
NUMBER(GROWTH_LEAST, 1.1, NONE, "least growth, relative to the first value");

void managed_heap_read(struct managed_heap *h, const struct check *e)
{
	assert(e);

	const struct maps_managed_heap *first =
		snapshot_find(check_first(e, &e->input->maps), MAPS_MANAGED_HEAP, sizeof(*first));
	const struct maps_managed_heap *last =
		snapshot_find(check_last(e, &e->input->maps), MAPS_MANAGED_HEAP, sizeof(*last));

	*h = (struct managed_heap){ 0 };
	if (!first || !last || last->record.time_ns <= first->record.time_ns)
		return;
	*h = (struct managed_heap){ .is_known = true,
		.first = first->old_bytes,
		.last = last->old_bytes,
		.collections = last->collections + last->full_collections - first->collections -
			       first->full_collections,
		.interval_ns = last->record.time_ns - first->record.time_ns };
}

bool managed_heap_grows(const struct managed_heap *h, double least_bytes)
{
	assert(h);
	return h->is_known && h->collections >= COLLECTIONS_LEAST && h->last > h->first &&
	       (double)(h->last - h->first) >= least_bytes &&
	       (double)h->last >= GROWTH_LEAST * (double)h->first;
}

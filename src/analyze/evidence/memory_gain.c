/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/memory_gain.h"

#include <assert.h>
#include <stdlib.h>

static int by_gain(const void *a, const void *b)
{
	const struct memory_class *x = a, *y = b;

	return (y->gain_bytes > x->gain_bytes) - (y->gain_bytes < x->gain_bytes);
}

/* Adds private memory: heaps are often mapped long before use; other memory mapped earlier is a
 * buffer that is being filled. */
static void add_own(struct memory_gain *m, enum map_class class_, int64_t gain, int64_t size,
	const struct map_total *last)
{
	m->own_bytes += gain;
	m->own_rss_bytes += (int64_t)last->rss_bytes;
	m->new_bytes += class_ != MAP_OTHER || gain < size ? gain : size > 0 ? size : 0;
}

static void add_class(struct memory_gain *m, enum map_class class_, const struct map_total *first,
	const struct map_total *last)
{
	int64_t gain = (int64_t)(last->rss_bytes - first->rss_bytes);
	int64_t size = (int64_t)(last->size_bytes - first->size_bytes);

	/* Shared memory that was mapped earlier only has its pages touched for the first time. */
	if (class_ == MAP_SHARED && gain > size) {
		m->touched_bytes = gain - (size > 0 ? size : 0);
		gain = size > 0 ? size : 0;
	}
	m->classes[class_] = (struct memory_class){ class_, gain, (int64_t)last->rss_bytes };
	if (class_ == MAP_FILE || class_ == MAP_DELETED_FILE || class_ == MAP_KERNEL)
		m->file_bytes += gain;
	else
		add_own(m, class_, gain, size, last);
}

static bool has_values(const struct snapshot *s)
{
	const struct maps_process *end = snapshot_end(s, sizeof(*end));

	return end && end->mappings_state <= SOOTH_STATE_TRUNCATED &&
	       end->figures_state <= SOOTH_STATE_TRUNCATED;
}

void memory_gain_read(struct memory_gain *m, const struct check *e)
{
	assert(e);

	const struct snapshot *first = check_first(e, &e->input->maps);
	const struct snapshot *last = check_last(e, &e->input->maps);
	struct map_total before[MAP_CLASSES], after[MAP_CLASSES];
	struct map_facts facts = { 0 };

	assert(m);
	*m = (struct memory_gain){ 0 };
	if (last && !map_facts_gather(&facts, last))
		m->runtimes = facts.runtimes;
	map_facts_fini(&facts);
	if (first == last || !has_values(first) || !has_values(last) || map_totals(first, before) ||
		map_totals(last, after))
		return;
	for (unsigned i = 0; i < MAP_CLASSES; i++)
		add_class(m, i, &before[i], &after[i]);
	qsort(m->classes, MAP_CLASSES, sizeof(m->classes[0]), by_gain);
	m->is_known = true;
}

const struct memory_class *memory_gain_leading(const struct memory_gain *m)
{
	assert(m);
	for (unsigned i = 0; m->is_known && i < MAP_CLASSES; i++) {
		const struct memory_class *c = &m->classes[i];

		if (c->class_ != MAP_FILE && c->class_ != MAP_DELETED_FILE && c->gain_bytes > 0)
			return c;
	}
	return NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/heap/heap_elsewhere.h"

#include <string.h>

#include "analyze/inspect/limits.h"
#include "analyze/maps/map_growth.h"
#include "analyze/profile/wait_places.h"
#include "base/cleanup.h"
#include "probes/objects.h"

#define PLACES_MAX	  (1u << 16)
#define COLLECTIONS_LEAST 2 /* a single one may have freed nothing by chance */
#define MANAGED_LEAST	  (1u << 20)
#define MANAGED_PART	  10 /* least growth: a tenth of what remained before */

void heap_elsewhere_init(struct heap_elsewhere *e)
{
	map_gains_init(&e->maps);
	page_held_init(&e->pages);
	snapshots_init(&e->limits, LIMITS_PROCESS);
	e->memory.record.time_ns = 0;
	e->managed_first.record.time_ns = e->managed_last.record.time_ns = 0;
	profile_sums_init(&e->names);
	e->names.naming = (struct frame_naming){ DEMANGLE_SHORT, true };
}

void heap_elsewhere_fini(struct heap_elsewhere *e)
{
	map_gains_fini(&e->maps);
	page_held_fini(&e->pages);
	snapshots_fini(&e->limits);
	profile_sums_fini(&e->names);
}

/* Keeps the first and the last counters of the process that has them first. */
static void add_managed(struct heap_elsewhere *e, const struct sooth_record *r)
{
	const struct maps_managed_heap *h = record_as(r, MAPS_MANAGED_HEAP, sizeof(*h));

	if (!h || (e->managed_first.record.time_ns && e->managed_first.record.pid != r->pid))
		return;
	if (!e->managed_first.record.time_ns)
		e->managed_first = *h;
	e->managed_last = *h;
}

bool heap_elsewhere_managed(const struct heap_elsewhere *e, struct heap_managed_growth *out)
{
	const struct maps_managed_heap *first = &e->managed_first, *last = &e->managed_last;

	*out = (struct heap_managed_growth){ .first = first->old_bytes,
		.last = last->old_bytes,
		.collections = last->collections + last->full_collections - first->collections -
			       first->full_collections,
		.pid = first->record.pid,
		.has_classes = e->has_classes };
	out->keeps_objects = out->collections >= COLLECTIONS_LEAST && out->last > out->first &&
			     out->last - out->first >= MANAGED_LEAST &&
			     out->last - out->first >= out->first / MANAGED_PART;
	return last->record.time_ns > first->record.time_ns;
}

int heap_elsewhere_add_record(struct heap_elsewhere *e, const struct sooth_record *r)
{
	const struct batch one = { (const unsigned char *)r, record_bytes(r) };

	profile_sums_add_batch(&e->names, &one);
	page_held_add_record(&e->pages, r);
	snapshots_add_record(&e->limits, r);
	if (record_as(r, HOST_MEMORY, sizeof(e->memory)))
		memcpy(&e->memory, r, sizeof(e->memory));
	add_managed(e, r);
	e->has_classes |= r->kind == OBJECTS_PROCESS;
	if (map_growth_is_of_runtime(r)) {
		e->has_runtime = true;
		e->has_collector |= ((const struct maps_runtime_found *)r)->runtime != MAPS_PYTHON;
	}
	return map_gains_add_record(&e->maps, r);
}

/* Returns whether the memory of a class is handed out in pieces, which are used again. */
static bool is_of_allocator(enum map_class class_)
{
	static const uint32_t classes =
		1u << MAP_GLIBC_HEAP | 1u << MAP_GLIBC_ARENA | 1u << MAP_MIMALLOC |
		1u << MAP_JEMALLOC | 1u << MAP_TCMALLOC | 1u << MAP_JAVASCRIPTCORE | 1u << MAP_V8 |
		1u << MAP_GO | 1u << MAP_BRK | 1u << MAP_MALLOC_ZONE;

	return classes >> class_ & 1;
}

static bool is_collected(const struct heap_elsewhere *e, enum map_class class_)
{
	return class_ == MAP_V8 || class_ == MAP_JAVASCRIPTCORE || class_ == MAP_GO ||
	       (class_ == MAP_OTHER && e->has_collector);
}

static void find_place(struct heap_elsewhere *e, struct heap_elsewhere_answer *out)
{
	_cleanup_(map_fini) struct map places = { 0 };
	struct wait_place_key most;
	uint64_t best, all = 0;

	map_init(&places, sizeof(most), sizeof(uint64_t), PLACES_MAX);
	map_for_each (&e->pages.stacks, const uint32_t *, stack, const struct page_sum *, sum) {
		struct wait_place found = wait_place_of(&e->names, *stack);

		all += sum->remaining.pages;
		if (found.is_known)
			wait_place_add(&places, found.function, found.file, sum->remaining.pages);
	}
	most = wait_place_most(&places, NAMES_NONE, &best);
	out->has_place = best > 0;
	if (!best)
		return;
	out->function = names_get(&e->names.names, most.function);
	out->file = names_get(&e->names.names, most.file);
	out->percent = (unsigned)(100 * best / all);
}

int heap_elsewhere_find(struct heap_elsewhere *e, struct heap_elsewhere_answer *out)
{
	struct map_gain all[MAP_CLASSES];
	const struct map_gain *most;
	int64_t gain = 0;
	int count = map_gains_sum(&e->maps, all);

	*out = (struct heap_elsewhere_answer){ 0 };
	if (count < 0)
		return count;
	for (size_t i = 0; i < MAP_CLASSES; i++)
		gain += map_gain_bytes(&all[i]);
	most = count && map_gains_has_two(&e->maps) ? map_gains_most(all, gain) : NULL;
	if (most) {
		out->has_class = true;
		out->class_ = most->class_;
		out->gain_bytes = (uint64_t)map_gain_bytes(most);
		out->is_collected = is_collected(e, most->class_);
		out->is_handed_on = is_of_allocator(most->class_) ||
				    (e->has_runtime && most->class_ == MAP_OTHER);
	}
	find_place(e, out);
	return 0;
}

uint64_t heap_elsewhere_room(const struct heap_elsewhere *e, uint32_t pid)
{
	const struct snapshot *found = NULL;

	snapshots_for_each (&e->limits, one) {
		if (one->id.pid == pid)
			found = one;
	}
	return limit_sums_memory_left(found, &e->memory);
}

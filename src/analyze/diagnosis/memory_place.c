/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/memory_place.h"

#include <assert.h>

#include "analyze/profile/wait_places.h"
#include "analyze/records.h"
#include "explain/number.h"
#include "model/stream_records.h"

#define STACKS_MAX 65536
#define PLACES_MAX 4096
#define PAGE_BYTES 4096 /* for captures without a page size */

NUMBER(RECORDED_LEAST, 16, NONE, "pages: fewer name no place");
NUMBER(SHARE_LEAST, 33, PERCENT, "of the pages from which a place is named");
NUMBER(GROWN_PART, 2, NONE, "the pages must be at least a half of the growth, and at most");
NUMBER(GROWN_TIMES, 3, NONE, "three times the growth");

struct touch_key {
	struct process_id process;
	uint32_t stack, unused;
};

struct touched {
	uint64_t faults, recorded;
};

void page_touches_init(struct page_touches *t)
{
	*t = (struct page_touches){ .page_bytes = PAGE_BYTES };
	map_init(&t->stacks, sizeof(struct touch_key), sizeof(struct touched), STACKS_MAX);
}

void page_touches_fini(struct page_touches *t)
{
	map_fini(&t->stacks);
}

void page_touches_next_interval(struct page_touches *t)
{
	map_clear(&t->stacks);
}

void page_touches_add_record(struct page_touches *t, const struct sooth_record *r)
{
	const struct profile_page *page = record_as(r, PROFILE_PAGE, sizeof(*page));
	const struct stream_segment *segment = record_as(r, STREAM_SEGMENT, sizeof(*segment));
	struct touch_key key = { .process = process_id_of(r) };
	struct touched *sum;

	if (segment && segment->page_bytes)
		t->page_bytes = segment->page_bytes;
	if (!page)
		return;
	key.stack = page->stack;
	sum = map_put(&t->stacks, &key, NULL);
	if (!sum)
		return;
	sum->faults += page->faults ? page->faults : 1;
	sum->recorded++;
}

/* --- by function --- */

struct place_key {
	uint32_t function, file; /* in the names of the sampled stacks */
};

static void add_place(struct map *places, const struct profile_sums *names, uint32_t stack,
	const struct touched *sum)
{
	struct profile_stacked stacked;
	const struct profile_function *f = profile_sums_stack(names, stack, &stacked)
						   ? wait_place_function(names, &stacked)
						   : NULL;
	struct place_key key = { f ? f->name : 0, f ? f->file : 0 };
	uint64_t *faults = f && f->is_named ? map_put(places, &key, NULL) : NULL;

	if (faults)
		*faults += sum->faults;
}

static struct touched add_places(struct map *places, const struct page_touches *t,
	const struct profile_sums *names, const struct process_id *id)
{
	struct touched all = { 0 };

	map_for_each (&t->stacks, const struct touch_key *, k, const struct touched *, sum) {
		if (memcmp(&k->process, id, sizeof(*id)) != 0)
			continue;
		all.faults += sum->faults;
		all.recorded += sum->recorded;
		add_place(places, names, k->stack, sum);
	}
	return all;
}

static uint64_t find_most(const struct map *places, struct place_key *most)
{
	uint64_t best = 0;

	map_for_each (places, const struct place_key *, key, const uint64_t *, value) {
		uint64_t faults = *value;

		if (faults <= best)
			continue;
		best = faults;
		*most = *key;
	}
	return best;
}

bool memory_place_find(struct memory_place *out, const struct page_touches *t,
	const struct profile_sums *names, const struct process_id *id, uint64_t grown_bytes)
{
	struct place_key most = { 0 };
	struct touched all;
	struct map places;
	uint64_t best;

	assert(out);
	assert(t);
	assert(names);
	map_init(&places, sizeof(struct place_key), sizeof(uint64_t), PLACES_MAX);
	all = add_places(&places, t, names, id);
	best = find_most(&places, &most);
	map_fini(&places);
	*out = (struct memory_place){ .touched_bytes = all.faults * t->page_bytes };
	if (all.recorded < RECORDED_LEAST || best * 100 < all.faults * SHARE_LEAST ||
		out->touched_bytes * GROWN_PART < grown_bytes ||
		out->touched_bytes > grown_bytes * GROWN_TIMES)
		return false;
	out->function = names_get(&names->names, most.function);
	out->file = names_get(&names->names, most.file);
	out->percent = (unsigned)(best * 100 / all.faults);
	return true;
}

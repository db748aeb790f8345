/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/memory_use.h"

#include <assert.h>
#include <string.h>

#include "analyze/profile/stack_text.h"
#include "analyze/profile/wait_places.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "explain/number.h"
#include "model/stream_records.h"

#define PROCESSES_MAX 4096
#define GAINS_MAX     (1u << 16)
#define STACKS_MAX    65536
#define PLACES_MAX    4096
#define PAGE_BYTES    4096 /* for captures without a page size */

NUMBER(RECORDED_LEAST, 16, NONE, "pages: fewer name no place");
NUMBER(SHARE_LEAST, 33, PERCENT, "of the pages from which a place is named");
NUMBER(GROWN_PART, 2, NONE, "the pages must be at least a half of the growth, and at most");
NUMBER(GROWN_TIMES, 3, NONE, "three times the growth");

struct gains_key {
	struct process_id process;
	uint32_t program, stack;
};

void heap_use_init(struct heap_use *u)
{
	*u = (struct heap_use){ 0 };
	map_init(&u->processes, sizeof(struct process_id), sizeof(struct heap_use_process),
		PROCESSES_MAX);
	map_init(&u->gains, sizeof(struct gains_key), sizeof(struct heap_gains), GAINS_MAX);
	profile_sums_init(&u->names);
	u->names.stack_kind = HEAP_STACK;
	u->names.frame_kind = HEAP_FRAME;
	u->names.naming = (struct frame_naming){ DEMANGLE_SHORT, true };
}

void heap_use_fini(struct heap_use *u)
{
	map_fini(&u->processes);
	map_fini(&u->gains);
	profile_sums_fini(&u->names);
}

/* --- taking --- */

static struct heap_use_process *process_of(struct heap_use *u, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);

	return map_put(&u->processes, &id, NULL);
}

static bool is_gain_of(
	const struct gains_key *key, const struct heap_use_process *p, const struct process_id *id)
{
	return key->program == p->program && !memcmp(&key->process, id, sizeof(*id));
}

/* Returns the window of a time; earlier gains are merged into longer windows. */
static unsigned window_of(struct heap_use *u, struct heap_use_process *p,
	const struct process_id *id, uint64_t time_ns)
{
	unsigned fold, window = heap_clock_window(&p->clock, time_ns, &fold);

	for (; fold; fold--) {
		map_for_each (&u->gains, const void *, key, void *, gains) {
			if (is_gain_of(key, p, id))
				heap_gains_fold(gains);
		}
	}
	return window;
}

static void add_heap_gain(struct heap_use *u, struct heap_use_process *p, const struct heap_sum *s)
{
	struct gains_key key = { process_id_of(&s->record), s->program,
		s->stack_state == SOOTH_STATE_VALUE ? s->stack : 0 };
	struct heap_gains *gains;
	unsigned window;

	window_of(u, p, &key.process, s->from_ns);
	window = window_of(u, p, &key.process, s->record.time_ns);
	gains = map_put(&u->gains, &key, NULL);
	if (!gains)
		return;
	heap_gain_add(&gains->bytes[window], s->allocated_bytes - s->freed_bytes);
	heap_gain_add(&gains->blocks[window], s->calls - s->freed_blocks);
}

static void take_sum(struct heap_use *u, const struct heap_sum *s)
{
	struct heap_use_process *p = process_of(u, &s->record);

	if (!p)
		return;
	p->has_sums = true;
	if (s->program < p->program)
		return;
	/* An exec discards all memory of the earlier program. */
	if (s->program > p->program) {
		p->program = s->program;
		p->live_blocks = 0;
		p->clock = (struct heap_clock){ 0 };
	}
	p->is_sampled |= record_holds(&s->record, sizeof(*s)) && s->sample_bytes;
	p->live_blocks += s->calls - s->freed_blocks;
	add_heap_gain(u, p, s);
}

static void add_held_memory(struct heap_use *u, const struct heap_held *h)
{
	struct heap_use_process *p = process_of(u, &h->record);

	if (!p)
		return;
	p->has_sums = true;
	if (h->program < p->held_program)
		return;
	p->held_program = h->program;
	p->older_freed = h->frees_unknown;
}

static void take_bad_free(struct heap_use *u, const struct heap_bad_free *bad)
{
	struct heap_use_process *p = process_of(u, &bad->record);

	if (!p || bad->what >= HEAP_BAD_WHATS)
		return;
	if (!p->errors[bad->what].count++)
		p->errors[bad->what].first = *bad;
}

static void take_mark(struct heap_use *u, const struct sooth_record *r)
{
	struct heap_use_process *p = process_of(u, r);

	if (!p)
		return;
	p->has_gap |= r->kind == HEAP_GAP;
	p->has_calls |= r->kind != HEAP_GAP;
}

void heap_use_add_record(struct heap_use *u, const struct sooth_record *r)
{
	if (r->kind == HEAP_SUM && record_holds(r, HEAP_SUM_LEAST))
		take_sum(u, (const void *)r);
	else if (r->kind == HEAP_HELD && record_holds(r, HEAP_HELD_LEAST))
		add_held_memory(u, (const void *)r);
	else if (r->kind == HEAP_BAD_FREE && record_holds(r, sizeof(struct heap_bad_free)))
		take_bad_free(u, (const void *)r);
	else if (r->kind == HEAP_GAP || r->kind == HEAP_CALL || r->kind == HEAP_COUNT)
		take_mark(u, r);
}

/* --- asking --- */

const struct heap_use_process *heap_use_of(const struct heap_use *u, const struct process_id *id)
{
	assert(u);
	return map_get(&u->processes, id);
}

bool heap_use_is_unsummed(const struct heap_use *u, const struct process_id *id)
{
	const struct heap_use_process *p = heap_use_of(u, id);

	return p && p->has_calls && !p->has_sums;
}

void heap_use_growth(const struct heap_use *u, const struct process_id *id, uint64_t until_ns,
	struct heap_use_growth *out)
{
	assert(u);

	const struct heap_use_process *p = heap_use_of(u, id);
	struct heap_clock clock = p ? p->clock : (struct heap_clock){ 0 };

	assert(out);
	if (clock.begin_ns && until_ns > clock.end_ns)
		clock.end_ns = until_ns;
	*out = (struct heap_use_growth){ .time_ns = clock.end_ns - clock.begin_ns };
	map_for_each (map_while(p, &u->gains), const struct gains_key *, k, void *, value) {
		struct heap_growth one;

		if (!is_gain_of(k, p, id))
			continue;
		one = heap_growth_of(&clock, value);
		out->is_measured |= one.is_measured;
		if (!one.grows)
			continue;
		out->stacks++;
		heap_gain_add(&out->bytes, (uint64_t)one.bytes);
		heap_gain_add(&out->blocks, (uint64_t)one.blocks);
		out->bytes_per_s += one.bytes_per_s;
		/* The lower number wins a tie, so a capture has the same result. */
		if (one.bytes_per_s > out->top_bytes_per_s ||
			(one.bytes_per_s == out->top_bytes_per_s && k->stack < out->top)) {
			out->top = k->stack;
			out->top_bytes_per_s = one.bytes_per_s;
		}
	}
}

bool heap_use_has_caller(const struct heap_use *u, uint32_t stack)
{
	struct profile_stacked stacked = { 0 };

	assert(u);
	profile_sums_stack(&u->names, stack, &stacked);
	return stacked.depth > 1;
}

uint32_t heap_use_starter(const struct heap_use *u, const struct process_id *id)
{
	assert(u);

	const struct heap_use_process *p = heap_use_of(u, id);
	uint32_t best = 0;
	int64_t most = 1;

	map_for_each (map_while(p, &u->gains), const struct gains_key *, k,
		const struct heap_gains *, gains) {
		int64_t blocks = 0;

		if (!is_gain_of(k, p, id) || !profile_sums_starts_thread(&u->names, k->stack))
			continue;
		for (unsigned i = 0; i < HEAP_WINDOWS; i++)
			heap_gain_add(&blocks, (uint64_t)gains->blocks[i]);
		if (blocks > most || (blocks == most && k->stack < best)) {
			most = blocks;
			best = k->stack;
		}
	}
	return best;
}

void heap_use_put_stack(const struct heap_use *u, uint32_t stack, struct buffer *out)
{
	assert(u);
	stack_text_put_callers(out, &u->names, stack);
}

/* --- the place of new pages --- */

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
	profile_sums_init(&t->names);
	t->names.naming = (struct frame_naming){ DEMANGLE_SHORT, true };
	map_init(&t->stacks, sizeof(struct touch_key), sizeof(struct touched), STACKS_MAX);
}

void page_touches_fini(struct page_touches *t)
{
	map_fini(&t->stacks);
	profile_sums_fini(&t->names);
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

	if (r->kind == PROFILE_FRAME || r->kind == PROFILE_STACK)
		profile_sums_add_batch(
			&t->names, &(struct batch){ (const unsigned char *)r, record_bytes(r) });
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

/* Adds the faults of a process by function, and by line. */
static struct touched add_places(struct map *functions, struct map *lines,
	const struct page_touches *t, const struct process_id *id)
{
	struct touched all = { 0 };

	map_for_each (&t->stacks, const struct touch_key *, k, const struct touched *, sum) {
		struct profile_stacked stacked;
		const struct profile_function *f;

		if (memcmp(&k->process, id, sizeof(*id)) != 0)
			continue;
		all.faults += sum->faults;
		all.recorded += sum->recorded;
		f = profile_sums_stack(&t->names, k->stack, &stacked)
			    ? wait_place_function(&t->names, &stacked)
			    : NULL;
		if (!f || !f->is_named)
			continue;
		wait_place_add(functions, f->name, f->object, sum->faults);
		wait_place_add(lines, f->name, f->file, sum->faults);
	}
	return all;
}

bool memory_place_find(struct memory_place *out, const struct page_touches *t,
	const struct process_id *id, uint64_t grown_bytes)
{
	_cleanup_(map_fini) struct map functions = { 0 }, lines = { 0 };
	struct wait_place_key most;
	struct touched all;
	uint64_t best, of_line;

	assert(out);
	assert(t);
	map_init(&functions, sizeof(struct wait_place_key), sizeof(uint64_t), PLACES_MAX);
	map_init(&lines, sizeof(struct wait_place_key), sizeof(uint64_t), PLACES_MAX);
	all = add_places(&functions, &lines, t, id);
	most = wait_place_most(&functions, NAMES_NONE, &best);
	*out = (struct memory_place){ .touched_bytes = all.faults * t->page_bytes };
	if (!best || all.recorded < RECORDED_LEAST || best * 100 < all.faults * SHARE_LEAST ||
		out->touched_bytes * GROWN_PART < grown_bytes ||
		out->touched_bytes > grown_bytes * GROWN_TIMES)
		return false;
	out->function = names_get(&t->names.names, most.function);
	most = wait_place_most(&lines, most.function, &of_line);
	out->file = names_get(&t->names.names, most.file);
	out->percent = (unsigned)(best * 100 / all.faults);
	return true;
}

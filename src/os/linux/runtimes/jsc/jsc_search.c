/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/runtimes/jsc/jsc_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/linux/files/read_memory.h"
#include "os/linux/runtimes/jsc/jsc_votes.h"

#define CALIBRATE_MS 3000
#define TRY_EACH     64 /* number of new pairs before another try */
#define START_FIRST  8	/* least offset in an UnlinkedFunctionExecutable */
#define START_STEP   4
#define START_TRIES  6 /* functions: if none of them fits, the offset is wrong */

void jsc_search_init(struct jsc_search *s)
{
	memset(s, 0, sizeof(*s));
	map_init(&s->known, sizeof(struct jsc_pair), 1, JSC_PAIRS_MAX);
	s->next = JSC_PAIRS_LEAST;
	snprintf(s->calibration.reason, sizeof(s->calibration.reason),
		"too few different functions were seen");
}

void jsc_search_fini(struct jsc_search *s)
{
	map_fini(&s->known);
}

static void run_calibrate_job(void *argument)
{
	struct jsc_calibration *c = argument;

	jsc_calibrate(c, do_read_process, &c->pid);
}

/* --- where the text of a function starts: by the names that are known --- */

struct start {
	uint16_t at;
	uint8_t shift;
	uint32_t hits;
	uint64_t sum; /* sum of the places for which it hits */
};

static uint32_t place_of(const struct jsc_named *n, const struct start *start)
{
	uint32_t word;

	memcpy(&word, n->unlinked + start->at, sizeof(word));
	return word >> start->shift & INT32_MAX;
}

static bool is_named_at(const struct jsc_named *n, const struct start *start,
	struct timeout *timeout, struct jsc_text *text)
{
	struct buffer name = { 0 };
	bool is_equal = jsc_text_name(text, timeout, n->module, place_of(n, start), &name) &&
			span_equal(span_of((const char *)name.data, name.size), n->name);

	buffer_fini(&name);
	return is_equal;
}

static void count_hits(const struct jsc_calibration *c, struct start *start,
	struct timeout *timeout, struct jsc_text *text)
{
	for (uint32_t i = 0; i < c->named && (start->hits || i < START_TRIES); i++) {
		if (is_named_at(&c->functions[i], start, timeout, text)) {
			start->hits++;
			start->sum += place_of(&c->functions[i], start);
		}
	}
}

/* Returns whether `a` points to earlier places: other members, of the parameters and the body,
 * point behind the name. */
static bool is_before(const struct start *a, const struct start *b)
{
	return a->sum / (a->hits + 1) < b->sum / (b->hits + 1);
}

/* Finds where the text of a function starts. It is optional: without it, functions have no place in
 * their module, and no name from its text. */
static void find_start(struct jsc_calibration *c, struct timeout *timeout, struct jsc_text *text)
{
	struct start best = { 0 };

	for (uint16_t at = START_FIRST; at + 4u <= sizeof(c->functions[0].unlinked);
		at += START_STEP) {
		for (uint8_t shift = 0; shift < 2; shift++) {
			struct start start = { .at = at, .shift = shift };

			count_hits(c, &start, timeout, text);
			if (start.hits * 10 > best.hits * 11 ||
				(start.hits * 10 > best.hits * 9 && is_before(&start, &best)))
				best = start;
		}
	}
	if (best.hits < JSC_VOTES_LEAST)
		return;
	c->layout.unlinked_start = best.at;
	c->layout.start_shift = best.shift;
	c->layout.start_bits = 31;
}

/* --- pairs --- */

static bool is_of_process(struct jsc_search *s, const struct profile_raw *raw)
{
	if (!s->calibration.count) {
		s->calibration.pid = raw->record.pid;
		s->start_ticks = raw->record.start_ticks;
	}
	return s->calibration.pid == raw->record.pid && s->start_ticks == raw->record.start_ticks;
}

bool jsc_search_put(struct jsc_search *s, const struct profile_raw *raw,
	const struct jsc_pair *pair, struct timeout *timeout, struct jsc_text *text)
{
	struct jsc_calibration *c = &s->calibration;
	struct jsc_pair key = { pair->block, pair->callee, pair->pc != 0 };
	bool is_new = false;

	if (!s->next || !pair->callee || !is_of_process(s, raw) ||
		!map_put(&s->known, &key, &is_new) || !is_new || c->count >= JSC_PAIRS_MAX)
		return false;
	c->pairs[c->count++] = *pair;
	if (c->count < s->next)
		return false;
	s->next = c->count + TRY_EACH <= JSC_PAIRS_MAX ? c->count + TRY_EACH : 0;
	if (timeout_call(timeout, run_calibrate_job, NULL, c, sizeof(*c), -1, CALIBRATE_MS)) {
		snprintf(c->reason, sizeof(c->reason),
			"the memory of the process could not be read in time");
		return false;
	}
	if (c->is_known)
		find_start(c, timeout, text);
	return c->is_known;
}

#define CLUSTER_LEAST 10	  /* fewer at a place are not the interpreter's main code */
#define GAP_MOST      (32u << 10) /* between two of its handlers */

static int compare_by_address(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

void jsc_ranges_find(struct profile_jsc *shared, uint64_t *handlers, size_t count)
{
	size_t from = 0;

	qsort(handlers, count, sizeof(*handlers), compare_by_address);
	shared->ranges = 0;
	for (size_t i = 1; i <= count; i++) {
		if (i < count && handlers[i] - handlers[i - 1] <= GAP_MOST)
			continue;
		if (i - from >= CLUSTER_LEAST && shared->ranges < JSC_RANGES_MAX) {
			shared->range[shared->ranges].from = handlers[from];
			shared->range[shared->ranges++].to = handlers[i - 1] + 1;
		}
		from = i;
	}
}

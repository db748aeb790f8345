/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_screen.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/waits/wait_lookup.h"
#include "analyze/waits/wait_text.h"
#include "base/units.h"

#define LINES_MOST 20 /* lines of a screen, besides the counts */
#define COLUMNS	   80
#define TEXT_MOST  (4 * COLUMNS)
#define DISK_LEAST NS_PER_S /* working processes also wait for a disk, but shorter */

enum rank { RANK_AT_WORK, RANK_WAITS, RANK_STOPPED, RANK_DISK, RANK_DEADLOCK };

enum rest { REST_IDLE, REST_RUNS, REST_SLEEPS, REST_INSIDE, REST_OTHER };
static const char *const rests[WAIT_RESTS] = { "idle", "running", "sleeping",
	"waiting for a lock or condition inside", "ended or not read" };

struct candidate {
	uint32_t pid;
	enum rank rank;
	uint64_t since_ns;
	uint64_t object; /* root object of the chain; 0: none */
	bool is_covered; /* a line of another chain includes it */
	size_t text, text_size, count;
	uint32_t pids[WAIT_LINKS_MAX]; /* processes of the chain */
};

void wait_screen_fini(struct wait_screen *s)
{
	assert(s);
	buffer_fini(&s->candidates);
	buffer_fini(&s->texts);
}

/* Returns how the process rests; WAIT_RESTS: it has a line. A launcher rests if its child does. */
static unsigned rest_of(const struct wait_chain *chain)
{
	const struct wait_link *first = &chain->links[0];
	const char *state = wait_chain_state(chain);

	if (!strcmp(state, "idle"))
		return REST_IDLE;
	if (chain->count > 1)
		return WAIT_RESTS;
	if (!strcmp(state, "runs"))
		return REST_RUNS;
	if (!strcmp(state, "ended") || !strcmp(state, "unknown"))
		return REST_OTHER;
	if (first->what == WAIT_SLEEP)
		return REST_SLEEPS;
	return wait_is_of_locks(first) && !first->party ? REST_INSIDE : WAIT_RESTS;
}

static uint64_t since_of(const struct wait_link *link)
{
	bool is_known = link->thread && !link->thread->since_state && !link->is_polling;

	return is_known ? link->thread->since_ns : 0;
}

static enum rank rank_of(const struct wait_chain *chain)
{
	enum wait_what end = chain->links[chain->count ? chain->count - 1 : 0].what;
	enum rank rank = end == WAIT_RUNS || end == WAIT_READY ? RANK_AT_WORK : RANK_WAITS;

	if (chain->is_deadlock && wait_chain_confidence(chain) > WAITS_LOW)
		return RANK_DEADLOCK;
	for (size_t i = 0; i < chain->count; i++) {
		const struct wait_link *l = &chain->links[i];

		if (l->thread && l->thread->state == 'D' && since_of(l) >= DISK_LEAST)
			return RANK_DISK;
		if (stopped_process_text(l))
			rank = RANK_STOPPED;
	}
	return rank;
}

void wait_screen_add(struct wait_screen *s, uint32_t pid, const struct wait_chain *chain,
	const struct activity *activity, struct span text)
{
	assert(s);
	assert(chain);

	struct candidate c = { .pid = pid,
		.rank = rank_of(chain),
		.since_ns = activity && activity->has_since ? activity->since_ns
							    : since_of(&chain->links[0]),
		.text = s->texts.size,
		.text_size = text.size,
		.count = chain->count };
	unsigned rest = rest_of(chain);
	struct wait_root root;

	if (activity && activity->state != ACTIVITY_UNKNOWN)
		rest = activity->state == ACTIVITY_IDLE ? REST_IDLE : WAIT_RESTS;
	if (chain->count && chain->links[0].what == WAIT_KERNEL_THREAD)
		return;
	if (rest < WAIT_RESTS) {
		s->rests[rest]++;
		return;
	}
	for (size_t i = 0; i < chain->count; i++)
		c.pids[i] = chain->links[i].process->node_pid;
	wait_chain_root(chain, &root);
	c.object = activity ? 0 : root.object;
	buffer_append(&s->candidates, &c, sizeof(c));
	buffer_append(&s->texts, text.data, text.size);
}

static int compare_by_rank(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->rank != y->rank)
		return (x->rank < y->rank) - (x->rank > y->rank);
	return (x->since_ns < y->since_ns) - (x->since_ns > y->since_ns);
}

/* Returns whether a longer chain includes this one; in a circle the first one stands for all. */
static bool is_covered(const struct candidate *all, size_t count, const struct candidate *c)
{
	for (const struct candidate *o = all; o < all + count; o++) {
		if (o->count < c->count || (o->count == c->count && o >= c))
			continue;
		for (size_t i = 0; i < o->count; i++) {
			if (o->pids[i] == c->pid)
				return true;
		}
	}
	return false;
}

/* Counts the others that wait for the same object without another end: one line is for all. */
static size_t count_same(
	const struct candidate *from, const struct candidate *to, const struct candidate *c)
{
	size_t count = 0;

	for (; from < to; from++)
		count += c->object && from != c && !from->is_covered && from->object == c->object;
	return count;
}

/* Appends "312 processes idle, 14 running". */
static void put_rests(const struct wait_screen *s, struct buffer *out)
{
	const char *noun = " process", *more = "";

	for (size_t i = 0; i < WAIT_RESTS; i++) {
		if (!s->rests[i])
			continue;
		buffer_format(out, "%s%u%s%s %s", more, s->rests[i], noun,
			*noun && s->rests[i] > 1 ? "es" : "", rests[i]);
		noun = "";
		more = ", ";
	}
}

static size_t shown_of(const struct candidate *c)
{
	return c->text_size < TEXT_MOST ? c->text_size : TEXT_MOST;
}

/* Returns the number of lines on a terminal. */
static size_t lines_of(const struct candidate *c)
{
	return shown_of(c) / COLUMNS + 1;
}

/* Appends a line of the report, shortened if it would fill the screen. A path in it is chosen by
 * the target, and must not look like another line of the report. */
static void put_text(
	const struct wait_screen *s, const struct candidate *c, size_t same, struct buffer *out)
{
	size_t size = shown_of(c);
	const char *text = (const char *)s->texts.data + c->text;

	for (size_t i = 0; i < size; i++)
		buffer_char(out, text[i] == '\n' ? ' ' : text[i]);
	buffer_string(out, size < c->text_size ? "… (-v)" : "");
	if (same)
		buffer_format(out, "; %zu more wait%s for the same", same, same == 1 ? "s" : "");
	buffer_char(out, '\n');
}

void wait_screen_put(struct wait_screen *s, struct buffer *out)
{
	struct candidate *all = (void *)s->candidates.data;
	size_t count = s->candidates.size / sizeof(*all), lines = 0;
	unsigned more = 0;

	assert(out);
	if (count)
		qsort(all, count, sizeof(*all), compare_by_rank);
	for (struct candidate *c = all; c < all + count; c++)
		c->is_covered = is_covered(all, count, c);
	for (struct candidate *c = all; c < all + count; c++) {
		if (c->is_covered || count_same(all, c, c))
			continue;
		if (more || (lines && lines + lines_of(c) > LINES_MOST)) {
			more++;
			continue;
		}
		put_text(s, c, count_same(c, all + count, c), out);
		lines += lines_of(c);
	}
	if (more)
		buffer_format(out, "and %u more (-v)\n", more);
	put_rests(s, out);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/heap/heap_growth.h"

#include <assert.h>
#include <string.h>

#include "base/units.h"

#define FIRST_WINDOW_NS (50 * NS_PER_MS)
#define LEAST_NS	(2 * NS_PER_S)		/* growth of shorter runs is unknown */
#define PARTS		(HEAP_PARTS_JUDGED + 1) /* the first is skipped: a start allocates */
#define RISING_LEAST	6			/* least rising parts of the other seven */
#define LATE_SHARE	0.35			/* least part of the gain in the last four parts */
#define QUARTER_SHARE	0.2  /* least part of the gain in each of the last three quarters */
#define LOST_SHARE	0.25 /* largest part of the gain that is freed again */
#define LEAST_BLOCKS	8
#define LEAST_BYTES	1024
#define MUCH_BYTES	(64 * LEAST_BYTES)

unsigned heap_clock_window(struct heap_clock *clock, uint64_t time_ns, unsigned *fold)
{
	uint64_t window;

	assert(clock);
	*fold = 0;
	if (!clock->begin_ns)
		*clock = (struct heap_clock){ time_ns, time_ns, FIRST_WINDOW_NS };
	if (time_ns > clock->end_ns)
		clock->end_ns = time_ns;
	window = time_ns > clock->begin_ns ? (time_ns - clock->begin_ns) / clock->window_ns : 0;
	for (; window >= HEAP_WINDOWS && *fold < 63; window /= 2) {
		clock->window_ns *= 2;
		++*fold;
	}
	return window < HEAP_WINDOWS ? (unsigned)window : HEAP_WINDOWS - 1;
}

void heap_gains_fold(struct heap_gains *g)
{
	assert(g);
	for (unsigned i = 0; i < HEAP_WINDOWS / 2; i++) {
		g->bytes[i] = g->bytes[2 * i];
		heap_gain_add(&g->bytes[i], (uint64_t)g->bytes[2 * i + 1]);
		g->blocks[i] = g->blocks[2 * i];
		heap_gain_add(&g->blocks[i], (uint64_t)g->blocks[2 * i + 1]);
	}
	memset(g->bytes + HEAP_WINDOWS / 2, 0, sizeof(g->bytes) / 2);
	memset(g->blocks + HEAP_WINDOWS / 2, 0, sizeof(g->blocks) / 2);
}

/* Returns whether memory grew in each quarter: batches, sessions and reloads keep it in steps. */
static bool gains_by_quarters(const int64_t parts[PARTS], double gain)
{
	for (unsigned i = 2; i < PARTS; i += 2) {
		if ((double)parts[i] + (double)parts[i + 1] < QUARTER_SHARE * gain)
			return false;
	}
	return true;
}

/* Returns the largest fall from the most that was kept so far. */
static int64_t largest_fall(const struct heap_gains *g, unsigned windows)
{
	int64_t kept = 0, most = 0, fall = 0;

	for (unsigned i = 0; i < windows && i < HEAP_WINDOWS; i++) {
		heap_gain_add(&kept, (uint64_t)g->bytes[i]);
		most = kept > most ? kept : most;
		fall = most - kept > fall ? most - kept : fall;
	}
	return fall;
}

static void decide_growth(struct heap_growth *out, const int64_t parts[PARTS], int64_t fall)
{
	bool is_enough = out->bytes >= LEAST_BYTES &&
			 (out->blocks >= LEAST_BLOCKS || out->bytes >= MUCH_BYTES);
	double late = 0, lost = 0, gain = (double)out->bytes;

	for (unsigned i = 1; i < PARTS; i++) {
		out->rising += parts[i] > 0;
		late += i >= PARTS / 2 ? (double)parts[i] : 0;
		lost -= parts[i] < 0 ? (double)parts[i] : 0;
	}
	/* A single block that grows by realloc again and again counts as well. */
	out->grows = is_enough && out->rising >= RISING_LEAST && late >= LATE_SHARE * gain;
	/* A buffer that grows and is freed may be at a higher place of its way at each part's
	 * end. */
	out->grows &= (double)fall < gain;
	if (out->grows || out->bytes < MUCH_BYTES || lost > LOST_SHARE * gain)
		return;
	out->grows = is_enough && gains_by_quarters(parts, gain);
	out->may_grow = !out->grows;
}

/* Computes the growth over the first `windows` windows of the run. */
static struct heap_growth growth_over(
	const struct heap_gains *g, unsigned windows, uint64_t time_ns)
{
	struct heap_growth out = { .is_measured = time_ns >= LEAST_NS };
	int64_t parts[PARTS] = { 0 };

	if (!out.is_measured)
		return out;
	for (unsigned i = 0; i < windows && i < HEAP_WINDOWS; i++) {
		unsigned part = i * PARTS / windows;

		heap_gain_add(&parts[part], (uint64_t)g->bytes[i]);
		heap_gain_add(&out.bytes, part ? (uint64_t)g->bytes[i] : 0);
		heap_gain_add(&out.blocks, part ? (uint64_t)g->blocks[i] : 0);
	}
	out.bytes_per_s = (double)out.bytes * PARTS / (PARTS - 1) / ((double)time_ns / NS_PER_S);
	decide_growth(&out, parts, largest_fall(g, windows));
	return out;
}

double heap_growth_variance(double of_gain)
{
	/* The rate is that of all parts but the first. */
	return of_gain * PARTS / (PARTS - 1);
}

/* Returns the number of windows before nearly all memory was freed at the end of the run; 0: it was
 * not. */
static unsigned windows_before_free(const struct heap_gains *g, unsigned windows)
{
	unsigned most_at = 0;
	double kept = 0, most = 0;

	for (unsigned i = 0; i < windows; i++) {
		kept += (double)g->bytes[i];
		if (kept > most) {
			most = kept;
			most_at = i + 1;
		}
	}
	return kept <= LOST_SHARE * most && most_at * PARTS >= windows * (PARTS - 1) ? most_at : 0;
}

struct heap_growth heap_growth_of(const struct heap_clock *clock, const struct heap_gains *g)
{
	assert(clock);

	uint64_t run_ns = clock->end_ns - clock->begin_ns;
	unsigned windows = clock->window_ns ? (unsigned)(run_ns / clock->window_ns) + 1 : 0;
	struct heap_growth out = growth_over(g, windows, run_ns), before;
	unsigned until;

	windows = windows < HEAP_WINDOWS ? windows : HEAP_WINDOWS;
	until = out.is_measured && !out.grows ? windows_before_free(g, windows) : 0;
	if (!until)
		return out;
	before = growth_over(g, until, until * clock->window_ns);
	if (before.grows) {
		out.freed_after_ns = until * clock->window_ns;
		out.until_bytes_per_s = before.bytes_per_s;
	}
	return out;
}

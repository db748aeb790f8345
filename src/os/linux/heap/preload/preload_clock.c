/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/preload/preload_clock.h"

#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "preload/layout.h"

#define FIRST_US    4000
#define TRIES	    8
#define ADJUST_NS   (500 * NS_PER_MS)
#define AHEAD_NS    (20 * NS_PER_MS)
#define CATCH_UP_NS (2 * NS_PER_S)
#define BEND_MAX    0.001

/* Reads both clocks at one moment: of several tries the fastest counts. */
static void read_both(uint64_t *ticks, uint64_t *ns)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = preload_ticks(), now = clock_monotonic_ns();
		uint64_t took = preload_ticks() - before;

		if (took >= best)
			continue;
		best = took;
		*ticks = before + took / 2;
		*ns = now;
	}
}

void preload_clock_init(struct preload_clock *c)
{
	uint64_t ticks, ns;

	read_both(&c->begin_ticks, &c->begin_ns);
	usleep(FIRST_US);
	read_both(&ticks, &ns);
	c->line = (struct preload_line){ c->begin_ticks, c->begin_ns,
		ticks > c->begin_ticks
			? (double)(ns - c->begin_ns) / (double)(ticks - c->begin_ticks)
			: 1 };
	c->before = c->line;
}

static uint64_t time_on_line(const struct preload_line *l, uint64_t ticks)
{
	double distance = (double)(int64_t)(ticks - l->ticks) * l->ns_per_tick;

	return l->ns + (uint64_t)(int64_t)distance;
}

uint64_t preload_clock_ns(const struct preload_clock *c, uint64_t ticks)
{
	return time_on_line((int64_t)(ticks - c->line.ticks) < 0 ? &c->before : &c->line, ticks);
}

uint64_t preload_clock_duration(const struct preload_clock *c, uint64_t ticks)
{
	return (uint64_t)((double)ticks * c->line.ns_per_tick);
}

uint64_t preload_clock_second(const struct preload_clock *c)
{
	return (uint64_t)((double)NS_PER_S / c->line.ns_per_tick);
}

void preload_clock_adjust(struct preload_clock *c)
{
	uint64_t ticks, ns, from;
	double rate, bend;

	read_both(&ticks, &ns);
	/* The last line holds for a while, so that all earlier records have been read. */
	if ((int64_t)(ticks - c->line.ticks) < 0 || ns - c->line.ns < ADJUST_NS)
		return;
	rate = (double)(ns - c->begin_ns) / (double)(ticks - c->begin_ticks);
	bend = (double)(int64_t)(ns - preload_clock_ns(c, ticks)) / CATCH_UP_NS;
	bend = bend > BEND_MAX ? BEND_MAX : bend < -BEND_MAX ? -BEND_MAX : bend;
	from = ticks + (uint64_t)(AHEAD_NS / rate);
	c->before = c->line;
	c->line = (struct preload_line){ from, time_on_line(&c->before, from), rate * (1 + bend) };
}

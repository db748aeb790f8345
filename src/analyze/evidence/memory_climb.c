/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/memory_climb.h"

#include <assert.h>

#include "analyze/process_table/process_table.h"
#include "base/units.h"

#define PLAIN_HEAPS (1u << MAPS_V8 | 1u << MAPS_GO) /* resident garbage stays small */

NUMBER(HEAP_GAIN, 48 << 20, BYTES, "V8 and Go collect before a heap grows so much");
NUMBER(STRAIGHT_HEAP, 0.15, NONE, "half of HEAP_GAIN suffices if the growth is so close to a line");
NUMBER(STRAIGHT_YOUNG, 0.25, NONE,
	"of a process that has just started: its first growth is uneven");
NUMBER(PACE, 0.4, NONE, "least part of the memory that came at this rate since the start");
NUMBER(LONG_NS, 12 * NS_PER_S, NS, "observation from which a steady climb suffices");
NUMBER(LONG_BUFFERS_NS, 20 * NS_PER_S, NS, "V8 collects buffers that fill up within that time");
NUMBER(LATE_PART, 0.14, NONE, "part of a continuing gain, in the last third of time");
NUMBER(FALL_PART, 0.25, NONE, "part of the gain that a growing heap frees at once");
NUMBER(LONG_CPU, 50, PERCENT, "of a CPU");
NUMBER(START_NS, 5 * NS_PER_S, NS,
	"of the life of a process, in which memory is filled for the first time");
NUMBER(YOUNGEST_NS, 3 * NS_PER_S, NS, "a younger process is still starting");

bool memory_has_collector(const struct memory_gain *m)
{
	assert(m);
	return (m->runtimes & MEMORY_COLLECTORS) != 0;
}

/* Values that the rules compare, beside the trend and the gain. */
struct climb {
	double gain;
	uint64_t before_ns; /* age of the process when the observation started */
	uint32_t collectors;
	bool is_agent;	  /* an agent's heap needs hundreds of megabytes */
	bool is_long;	  /* garbage would have been collected */
	bool is_calm;	  /* a process that works hard may need the memory */
	bool is_straight; /* loading pauses and ends */
	bool keeps_pace;  /* grew at the present rate all the time, not only during its start */
};

static struct climb climb_of(
	const struct check *e, const struct memory_trend *j, const struct memory_gain *m)
{
	const struct growth *g = &j->growth;
	double cpu = e->process ? process_table_cpu_percent(e->process) : -1;
	uint64_t age_ns = check_age_ns(e);
	double since_start = (g->last - g->first) * (double)age_ns / (double)g->interval_ns;

	return (struct climb){ .gain = (double)m->own_bytes,
		.before_ns = age_ns > g->interval_ns ? age_ns - g->interval_ns : 0,
		.collectors = m->runtimes & MEMORY_COLLECTORS,
		.is_agent = e->process && e->process->agent,
		.is_long =
			g->interval_ns >= (m->runtimes & 1u << MAPS_V8 ? LONG_BUFFERS_NS : LONG_NS),
		.is_calm = cpu >= 0 && cpu < LONG_CPU,
		.is_straight = j->bend <= STRAIGHT_YOUNG,
		.keeps_pace = since_start >= PACE * (double)m->own_rss_bytes };
}

/* Returns whether a heap grows beyond what V8 and Go heaps need at rest or at steady work, some 60
 * MB. */
static bool is_heap_climb(const struct check *e, const struct memory_trend *j,
	const struct memory_gain *m, const struct climb *c)
{
	bool is_plain = c->collectors && !(c->collectors & ~PLAIN_HEAPS);
	bool is_large = (double)m->own_rss_bytes >= check_option(e, "climb-gain");

	return is_plain && j->growth.grows && !c->is_agent && c->keeps_pace &&
	       (c->gain >= HEAP_GAIN || (j->bend <= STRAIGHT_HEAP && c->gain * 2 >= HEAP_GAIN) ||
		       (!check_is_young(e) && is_large && c->gain >= check_option(e, "slow-gain")));
}

/* Returns whether memory grew steadily after the start, over the whole time, even by little. Node
 * and python at rest, or at steady work, vary by a megabyte; a Go heap doubles its live data
 * between two collections. */
static bool is_steady(const struct memory_trend *j, const struct climb *c)
{
	return c->before_ns >= START_NS && !(c->collectors & ~(1u << MAPS_V8)) && !j->falls &&
	       c->is_straight;
}

/* Returns whether a heap grew unevenly: V8 allocates in pieces and moves young objects, so live
 * data grows in no line. Garbage and buffers of steady work no longer grow by then. */
static bool is_uneven(const struct memory_trend *j, const struct climb *c)
{
	return c->before_ns >= YOUNGEST_NS && c->collectors == 1u << MAPS_V8 &&
	       j->late >= LATE_PART && j->largest_fall <= FALL_PART * c->gain;
}

bool memory_climbs_slowly(
	const struct check *e, const struct memory_trend *j, const struct memory_gain *m)
{
	struct climb c = climb_of(e, j, m);

	if (!m->is_known)
		return false;
	if (is_heap_climb(e, j, m, &c))
		return true;
	/* Grew at a constant rate since the start. */
	if (check_is_young(e) && !c.collectors && j->growth.grows && c.is_straight && c.keeps_pace)
		return true;
	return c.is_long && c.is_calm && !c.is_agent && !j->has_stopped &&
	       c.gain >= check_option(e, "steady-gain") && (is_steady(j, &c) || is_uneven(j, &c));
}

static bool is_long_climb(
	const struct check *e, const struct memory_trend *j, const struct memory_gain *m)
{
	struct climb c = climb_of(e, j, m);

	return m->is_known && c.is_long && c.is_calm && c.is_straight && c.keeps_pace &&
	       j->growth.grows && !j->has_stopped && c.gain >= check_option(e, "min-gain");
}

/* Returns whether the growth is only the start of a program: it has what it needs, or a collection
 * freed much. */
static bool is_start(const struct check *e, const struct memory_trend *j,
	const struct memory_gain *m, double gain)
{
	return memory_has_collector(m) && check_is_young(e) &&
	       ((e->process && e->process->agent) || j->late < LATE_PART ||
		       j->largest_fall > FALL_PART * gain);
}

/* Returns whether the growth is worth a low-severity report, whatever else may explain it. */
bool memory_climbs(const struct check *e, const struct memory_trend *j, const struct memory_gain *m)
{
	assert(j);

	const struct growth *g = &j->growth;
	double gain = g->last - g->first;

	if (is_start(e, j, m, gain))
		return false;
	if (memory_climbs_slowly(e, j, m) || is_long_climb(e, j, m))
		return true;
	if (gain < check_option(e, "climb-gain"))
		return false;
	if (memory_has_collector(m) && check_is_young(e) &&
		gain * 100 < check_option(e, "collector-share") * g->first)
		return false;
	return g->grows || (!j->has_stopped && j->low_gain * 2 >= gain);
}

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

/* V8 collects only after up to three semispaces of 16 MB are full of garbage. */

bool memory_has_collector(const struct memory_gain *m)
{
	assert(m);
	return (m->runtimes & MEMORY_COLLECTORS) != 0;
}

bool memory_is_young(const struct check *e)
{
	return (double)check_age_ns(e) < check_option(e, "min-age");
}

/* Returns whether the memory grew at the present rate all the time, not only during its start. */
static bool keeps_pace(
	const struct check *e, const struct memory_trend *j, const struct memory_gain *m)
{
	const struct growth *g = &j->growth;
	double since_start =
		(g->last - g->first) * (double)check_age_ns(e) / (double)g->interval_ns;

	return since_start >= PACE * (double)m->own_rss_bytes;
}

/* Returns whether a heap grows beyond what V8 and Go heaps need at rest or at steady work, some 60
 * MB. An agent's heap needs more. */
static bool is_heap_climb(
	const struct check *e, const struct memory_trend *j, const struct memory_gain *m)
{
	const struct growth *g = &j->growth;
	double gain = (double)m->own_bytes;
	bool is_large = (double)m->own_rss_bytes >= check_option(e, "climb-gain");

	if (!(m->runtimes & PLAIN_HEAPS) || m->runtimes & MEMORY_COLLECTORS & ~PLAIN_HEAPS ||
		!m->is_known || !g->grows || (e->process && e->process->agent) ||
		!keeps_pace(e, j, m))
		return false;
	return gain >= HEAP_GAIN || (j->bend <= STRAIGHT_HEAP && gain * 2 >= HEAP_GAIN) ||
	       (!memory_is_young(e) && is_large && gain >= check_option(e, "slow-gain"));
}

/* Returns whether memory grew at a constant rate since the start: loading pauses and ends. */
static bool is_young_climb(
	const struct check *e, const struct memory_trend *j, const struct memory_gain *m)
{
	return memory_is_young(e) && !memory_has_collector(m) && m->is_known && j->growth.grows &&
	       j->bend <= STRAIGHT_YOUNG && keeps_pace(e, j, m);
}

static bool is_long(const struct memory_trend *j, const struct memory_gain *m)
{
	return j->growth.interval_ns >= (m->runtimes & 1u << MAPS_V8 ? LONG_BUFFERS_NS : LONG_NS);
}

/* Returns whether a garbage-collected heap grew at a constant rate for so long that garbage would
 * have been collected. A process that works hard may need the memory. */
static bool is_long_climb(
	const struct check *e, const struct memory_trend *j, const struct memory_gain *m)
{
	const struct growth *g = &j->growth;
	double cpu = e->process ? process_table_cpu_percent(e->process) : -1;

	return is_long(j, m) && m->is_known && g->grows && !j->has_stopped &&
	       j->bend <= STRAIGHT_YOUNG && keeps_pace(e, j, m) &&
	       (double)m->own_bytes >= check_option(e, "min-gain") && cpu >= 0 && cpu < LONG_CPU;
}

/* Returns whether memory grew steadily after the start, over the whole time, even by little. Node
 * and python at rest, or at steady work, vary by a megabyte; a Go heap doubles its live data
 * between two collections. */
static bool is_steady_climb(
	const struct check *e, const struct memory_trend *j, const struct memory_gain *m)
{
	const struct growth *g = &j->growth;
	double cpu = e->process ? process_table_cpu_percent(e->process) : -1;

	return is_long(j, m) && check_age_ns(e) >= g->interval_ns + START_NS && m->is_known &&
	       !(m->runtimes & MEMORY_COLLECTORS & ~(1u << MAPS_V8)) && !j->has_stopped &&
	       !j->falls && j->bend <= STRAIGHT_YOUNG && cpu >= 0 && cpu < LONG_CPU &&
	       (double)m->own_bytes >= check_option(e, "steady-gain") &&
	       !(e->process && e->process->agent);
}

/* Returns whether a heap grew unevenly: V8 allocates in pieces and moves young objects, so live
 * data grows in no line. Garbage and buffers of steady work no longer grow by then. */
static bool is_uneven_climb(
	const struct check *e, const struct memory_trend *j, const struct memory_gain *m)
{
	double cpu = e->process ? process_table_cpu_percent(e->process) : -1;
	double gain = (double)m->own_bytes;

	return m->is_known && (m->runtimes & MEMORY_COLLECTORS) == 1u << MAPS_V8 && is_long(j, m) &&
	       check_age_ns(e) >= j->growth.interval_ns + YOUNGEST_NS && !j->has_stopped &&
	       cpu >= 0 && cpu < LONG_CPU && gain >= check_option(e, "steady-gain") &&
	       j->late >= LATE_PART && j->largest_fall <= FALL_PART * gain &&
	       !(e->process && e->process->agent);
}

bool memory_climbs_slowly(
	const struct check *e, const struct memory_trend *j, const struct memory_gain *m)
{
	return is_heap_climb(e, j, m) || is_young_climb(e, j, m) || is_steady_climb(e, j, m) ||
	       is_uneven_climb(e, j, m);
}

/* Returns whether the growth is only the start of a program: it has what it needs, or a collection
 * freed much. An agent needs hundreds of megabytes. */
static bool is_start(const struct check *e, const struct memory_trend *j,
	const struct memory_gain *m, double gain)
{
	return memory_has_collector(m) && memory_is_young(e) &&
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
	if (memory_has_collector(m) && memory_is_young(e) &&
		gain * 100 < check_option(e, "collector-share") * g->first)
		return false;
	return g->grows || (!j->has_stopped && j->low_gain * 2 >= gain);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/memory_trend.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "probes/maps.h"

/* --- how resident memory developed --- */

#define PARTS 4 /* parts of the observation; their lowest values are compared */

NUMBER(FALLS_LEAST, 2, NONE, "falls from which rising lows count");
NUMBER(STRETCH_NS, 15 * NS_PER_S, NS, "least observation for rising lows");

size_t memory_trend_points(const struct check *e, struct growth_point out[MEMORY_POINTS_MAX])
{
	size_t count = 0;

	assert(e);
	for (size_t i = 0; i < e->series.count && count < MEMORY_POINTS_MAX; i++) {
		const struct sample_point *p = &e->series.points[i];

		/* The times of a capture may go back. */
		if (count && p->time_ns < out[count - 1].time_ns)
			continue;
		if (p->state != 'Z' && p->rss_bytes)
			out[count++] = (struct growth_point){ p->time_ns, (double)p->rss_bytes };
	}
	return count;
}

/* Finds the points that are lower than both neighbors. */
static size_t find_low_points(const struct growth_point *points, size_t count, double noise,
	struct growth_point out[MEMORY_POINTS_MAX])
{
	size_t found = 0;
	bool has_fallen = false;

	for (size_t i = 1; i + 1 < count; i++) {
		if (points[i].value < points[i - 1].value - noise)
			has_fallen = true;
		if (!has_fallen || points[i + 1].value <= points[i].value)
			continue;
		out[found++] = points[i];
		has_fallen = false;
	}
	return found;
}

/* Compares the lowest values in equal time ranges: memory that only fluctuates returns to the same
 * lows. */
static void compare_lows(
	struct memory_trend *j, const struct growth_point *points, size_t count, double noise)
{
	uint64_t from_ns = points[0].time_ns, all_ns = points[count - 1].time_ns - from_ns;
	double low[PARTS] = { 0 }, highest = 0;
	bool is_rising = true;

	for (size_t i = 0; i < count; i++) {
		size_t part = (size_t)((points[i].time_ns - from_ns) / (all_ns / PARTS + 1));

		if (!low[part] || points[i].value < low[part])
			low[part] = points[i].value;
		if (part + 1 < PARTS && points[i].value > highest)
			highest = points[i].value;
	}
	for (size_t i = 1; i < PARTS; i++)
		is_rising &= low[i - 1] > 0 && low[i] > low[i - 1] + noise;
	j->low_gain = low[PARTS - 1] && low[0] ? low[PARTS - 1] - low[0] : 0;
	j->has_stopped = points[count - 1].value <= highest + noise;
	if (!is_rising || j->falls < FALLS_LEAST || all_ns < STRETCH_NS)
		return;
	j->growth.grows = j->is_of_floors = true;
	j->growth.first = low[0];
	j->growth.last = low[PARTS - 1];
	j->growth.per_s = j->low_gain * (double)NS_PER_S / (double)j->growth.interval_ns;
}

/* Returns how far the growth deviates from a straight line, as a part of the gain. */
static double deviation_of(const struct growth_point *points, size_t count)
{
	const struct growth_point *first = &points[0], *last = &points[count - 1];
	double gain = last->value - first->value, most = 0;
	double all_ns = (double)(last->time_ns - first->time_ns);

	if (gain <= 0 || all_ns <= 0)
		return 1;
	for (size_t i = 0; i < count; i++) {
		double at_ns = (double)(points[i].time_ns - first->time_ns);

		most = fmax(most, fabs(points[i].value - first->value - gain * at_ns / all_ns));
	}
	return most / gain;
}

static double late_gain_of(const struct growth_point *points, size_t count)
{
	const struct growth_point *first = &points[0], *last = &points[count - 1];
	uint64_t from_ns = first->time_ns + (last->time_ns - first->time_ns) / 3 * 2;
	double gain = last->value - first->value;
	size_t i = 0;

	while (i + 1 < count && points[i + 1].time_ns <= from_ns)
		i++;
	return gain > 0 ? (last->value - points[i].value) / gain : 0;
}

void memory_trend_of(struct memory_trend *j, const struct check *e,
	const struct growth_point *points, size_t count)
{
	unsigned windows = (unsigned)check_option(e, "min-windows");
	double noise = check_option(e, "noise");
	struct growth_point floors[MEMORY_POINTS_MAX];
	struct growth of_floors;

	assert(j);
	*j = (struct memory_trend){ .bend = deviation_of(points, count),
		.late = late_gain_of(points, count),
		.largest_fall = growth_largest_fall(points, count) };
	growth_diagnose(&j->growth, points, count, windows, noise);
	j->falls = (unsigned)find_low_points(points, count, noise, floors);
	if (j->growth.grows || !j->growth.is_measured)
		return;
	if (j->falls > windows) {
		growth_diagnose(&of_floors, floors, j->falls, windows, noise);
		if (of_floors.grows) {
			j->growth = of_floors;
			j->is_of_floors = true;
			return;
		}
	}
	compare_lows(j, points, count, noise);
}

/* --- which kinds grew --- */

static int compare_by_gain(const void *a, const void *b)
{
	const struct memory_class *x = a, *y = b;

	return (y->gain_bytes > x->gain_bytes) - (y->gain_bytes < x->gain_bytes);
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
		return;
	/* Heaps are often mapped long before use; other memory that was mapped earlier is a buffer
	 * that is being filled. */
	m->own_bytes += gain;
	m->own_rss_bytes += (int64_t)last->rss_bytes;
	m->new_bytes += class_ != MAP_OTHER || gain < size ? gain : size > 0 ? size : 0;
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
	qsort(m->classes, MAP_CLASSES, sizeof(m->classes[0]), compare_by_gain);
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

/* --- growth that may have another reason --- */

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
	if (!c.is_long || !c.is_calm || j->has_stopped)
		return false;
	if (c.is_straight && c.keeps_pace && j->growth.grows &&
		c.gain >= check_option(e, "min-gain"))
		return true;
	return !c.is_agent && c.gain >= check_option(e, "steady-gain") &&
	       (is_steady(j, &c) || is_uneven(j, &c));
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
	if (memory_climbs_slowly(e, j, m))
		return true;
	if (gain < check_option(e, "climb-gain"))
		return false;
	if (memory_has_collector(m) && check_is_young(e) &&
		gain * 100 < check_option(e, "collector-share") * g->first)
		return false;
	return g->grows || (!j->has_stopped && j->low_gain * 2 >= gain);
}

/* --- a Java heap --- */

NUMBER(COLLECTIONS_LEAST, 2, NONE, "a single one may have freed nothing by chance");
NUMBER(GROWTH_LEAST, 1.1, NONE, "least growth, relative to the first value");

bool managed_heap_grows(struct managed_heap *h, const struct check *e, double least_bytes)
{
	assert(e);

	const struct maps_managed_heap *first =
		snapshot_find(check_first(e, &e->input->maps), MAPS_MANAGED_HEAP, sizeof(*first));
	const struct maps_managed_heap *last =
		snapshot_find(check_last(e, &e->input->maps), MAPS_MANAGED_HEAP, sizeof(*last));

	if (!first || !last || last->record.time_ns <= first->record.time_ns)
		return false;
	*h = (struct managed_heap){ .first = first->old_bytes,
		.last = last->old_bytes,
		.collections = last->collections + last->full_collections - first->collections -
			       first->full_collections,
		.interval_ns = last->record.time_ns - first->record.time_ns };
	return h->collections >= COLLECTIONS_LEAST && h->last > h->first &&
	       (double)(h->last - h->first) >= least_bytes &&
	       (double)h->last >= GROWTH_LEAST * (double)h->first;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory-growth: resident memory keeps growing. Comparing the mappings of the first and the
 * last sample shows which class grows. File pages do not count: the kernel frees them when
 * memory is needed.
 *
 * A garbage-collected runtime lets garbage pile up first. Its growth means nothing until a
 * collection could have run, and what remains after each collection is what counts.
 *
 * A fast climb that may have another reason (the process is young, has a collector, or frees
 * memory in between) is reported too, with low severity and confidence, and confirmed by the next
 * diagnosis of a watch. A gain above the minimum is never called fine, nor is a smaller one that
 * may go on: observed for longer, it would be above the minimum.
 */
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/check.h"
#include "analyze/diagnosis/finding_units.h"
#include "analyze/diagnosis/memory_gain.h"
#include "analyze/inspect/limit_sums.h"
#include "core/finding.h"
#include "probes/limits.h"

#define POINTS_MAX	 512
#define CLASSES_REPORTED 3
#define CLASS_SHARE	 2 /* a class is named as the cause from this part of the gain */
#define PARTS		 4 /* of the observation; the lowest value of each is compared */
#define FALLS_LEAST	 2 /* rising lows count only if memory was freed in between */
#define STRETCH_NS	 (15 * NS_PER_S) /* least observation for rising lows */
#define COLLECTORS	 (1u << MAPS_JAVASCRIPTCORE | 1u << MAPS_V8 | 1u << MAPS_GO | 1u << MAPS_JAVA)

static const struct finding_option options[] = {
	{ .name = "min-rate",
		.help = "minimum growth of the process's memory per second",
		.unit = SOOTH_UNIT_BYTES,
		.default_value = 65536,
		.min = 1,
		.max = 1e12 },
	{ .name = "min-gain",
		.help = "minimum total growth of the process's memory, without file pages",
		.unit = SOOTH_UNIT_BYTES,
		.default_value = 16777216,
		.min = 1,
		.max = 1e15 },
	{ .name = "noise",
		.help = "changes of memory between two samples up to this size are ignored",
		.unit = SOOTH_UNIT_BYTES,
		.default_value = 65536,
		.min = 0,
		.max = 1e12 },
	{ .name = "min-windows",
		.help = "minimum number of intervals (between samples or garbage collections) that "
			"show growth",
		.default_value = 4,
		.min = 2,
		.max = 500 },
	{ .name = "min-age",
		.help = "minimum process age",
		.unit = SOOTH_UNIT_NS,
		.default_value = 60e9,
		.min = 0,
		.max = 86400e9 },
	{ .name = "collector-time",
		.help = "minimum observation time if the process has a garbage collector",
		.unit = SOOTH_UNIT_NS,
		.default_value = 60e9,
		.min = 0,
		.max = 86400e9 },
	{ .name = "collector-share",
		.help = "minimum growth, in percent of the memory at the start, while the garbage "
			"collector frees nothing",
		.unit = SOOTH_UNIT_PERCENT,
		.default_value = 50,
		.min = 0,
		.max = 10000 },
	{ .name = "climb-gain",
		.help = "minimum growth that is reported with low severity although the process is "
			"young, has a garbage collector or frees memory in between",
		.unit = SOOTH_UNIT_BYTES,
		.default_value = 67108864,
		.min = 1,
		.max = 1e15 },
	{ .name = "slow-gain",
		.help = "minimum steady growth below min-gain that is reported with low severity",
		.unit = SOOTH_UNIT_BYTES,
		.default_value = 4194304,
		.min = 1,
		.max = 1e15 },
};

/* --- whether it grows --- */

struct trend {
	struct growth growth;
	bool is_of_floors; /* measured between its lows, after memory was freed */
	unsigned falls;
	double low_gain;  /* from the lows of the first part to those of the last */
	bool is_rising;	  /* the lows of each part are above those before */
	bool has_stopped; /* no growth in the last part */
};

static size_t points_of(const struct check *e, struct growth_point out[POINTS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < e->series.count && count < POINTS_MAX; i++) {
		const struct sample_point *p = &e->series.points[i];

		/* The times of a capture may go back. */
		if (count && p->time_ns < out[count - 1].time_ns)
			continue;
		if (p->state != 'Z' && p->rss_bytes)
			out[count++] = (struct growth_point){ p->time_ns, (double)p->rss_bytes };
	}
	return count;
}

/* Points lower than both neighbors. */
static size_t floors_of(const struct growth_point *points, size_t count, double noise,
	struct growth_point out[POINTS_MAX])
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

/* Its lows in equal parts of the time: what goes up and down comes back to the same ones. */
static void compare_lows(
	struct trend *j, const struct growth_point *points, size_t count, double noise)
{
	uint64_t from_ns = points[0].time_ns, all_ns = points[count - 1].time_ns - from_ns;
	double low[PARTS] = { 0 }, highest = 0;

	for (size_t i = 0; i < count; i++) {
		size_t part = (size_t)((points[i].time_ns - from_ns) / (all_ns / PARTS + 1));

		if (!low[part] || points[i].value < low[part])
			low[part] = points[i].value;
		if (part + 1 < PARTS && points[i].value > highest)
			highest = points[i].value;
	}
	j->is_rising = true;
	for (size_t i = 1; i < PARTS; i++)
		j->is_rising &= low[i - 1] > 0 && low[i] > low[i - 1] + noise;
	j->low_gain = low[PARTS - 1] && low[0] ? low[PARTS - 1] - low[0] : 0;
	j->has_stopped = points[count - 1].value <= highest + noise;
	if (!j->is_rising || j->falls < FALLS_LEAST || all_ns < STRETCH_NS)
		return;
	j->growth.grows = j->is_of_floors = true;
	j->growth.first = low[0];
	j->growth.last = low[PARTS - 1];
	j->growth.per_s = j->low_gain * (double)NS_PER_S / (double)j->growth.interval_ns;
}

static void diagnose_points(
	const struct check *e, const struct growth_point *points, size_t count, struct trend *j)
{
	unsigned windows = (unsigned)check_option(e, "min-windows");
	double noise = check_option(e, "noise");
	struct growth_point floors[POINTS_MAX];
	struct growth of_floors;

	*j = (struct trend){ 0 };
	growth_diagnose(&j->growth, points, count, windows, noise);
	j->falls = (unsigned)floors_of(points, count, noise, floors);
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

/* --- the finding --- */

static bool is_claude(const struct check *e)
{
	return e->process && e->process->agent && !strcmp(e->process->agent->name, "claude");
}

static void emit_remedy(struct check *e, const struct memory_gain *m)
{
	const struct memory_class *c = memory_gain_leading(m);
	unsigned long long pid = e->id.pid;

	if (c && c->class_ == MAP_SHARED)
		finding_remedy(e,
			"sooth inspect --maps %llu lists the shared mappings, df -h /dev/shm the "
			"room; it is no malloc memory: remove segments that are no longer used",
			pid);
	else if (is_claude(e))
		finding_remedy(e,
			"type /heapdump in the session to write a snapshot of the JavaScript "
			"heap; a new session (claude --continue) frees the memory");
	else if (m->runtimes & 1u << MAPS_JAVASCRIPTCORE)
		finding_remedy(e,
			"have the program write a heap snapshot (Bun: v8.writeHeapSnapshot() or "
			"bun --inspect); a restart frees the memory");
	else if (m->runtimes & 1u << MAPS_V8)
		finding_remedy(e,
			"if the process was started with node --heapsnapshot-signal=SIGUSR2: kill "
			"-USR2 %llu writes a heap snapshot (otherwise this signal ends the "
			"process); kill -USR1 %llu opens node's inspector on loopback",
			pid, pid);
	else if (m->runtimes & 1u << MAPS_JAVA)
		finding_remedy(e,
			"jcmd %llu GC.class_histogram, as the user of the process, runs a full "
			"collection and lists the classes that remain; java -Xmx limits the heap",
			pid);
	else if (m->runtimes & 1u << MAPS_GO)
		finding_remedy(e,
			"if the program serves net/http/pprof, this shows which functions "
			"allocate: go tool pprof http://localhost:6060/debug/pprof/heap");
	else
		finding_remedy(e,
			"sooth heap -p %llu shows which functions allocate; a restart frees the "
			"memory",
			pid);
}

static void emit_classes(struct check *e, const struct memory_gain *m)
{
	char gain[UNITS_SIZE], all[UNITS_SIZE];

	if (!m->is_known) {
		finding_unseen(e, "which kind of memory grows: the mappings were listed only once");
		return;
	}
	for (unsigned i = 0; i < CLASSES_REPORTED && m->classes[i].gain_bytes > 0; i++)
		finding_text(e, "what grew", "%s more in %s, now %s",
			format_bytes(gain, (uint64_t)m->classes[i].gain_bytes),
			memory_class_texts[m->classes[i].class_],
			format_bytes(all, (uint64_t)m->classes[i].rss_bytes));
}

static void add_room(uint64_t *room, uint64_t bytes)
{
	if (bytes < *room)
		*room = bytes;
}

/* Memory left until a process is killed: in its tightest control group and on the host. */
static uint64_t room_left(const struct check *e)
{
	const struct snapshot *last = check_last(e, &e->input->limits);
	const struct limits_group *g = last ? limit_sums_tightest_memory(last) : NULL;
	const struct host_memory *m = &e->input->memory;
	uint64_t room = UINT64_MAX, files = 0;

	if (g && !g->used_state) {
		limit_sums_group_files(g, &files);
		add_room(&room, (g->limit > g->used ? g->limit - g->used : 0) + files);
	}
	if (m->record.time_ns && !m->available_state)
		add_room(&room, m->available_bytes);
	return room;
}

static void emit_limit(struct check *e, const struct growth *g)
{
	uint64_t room = room_left(e), left_ns;

	if (room == UINT64_MAX) {
		finding_unseen(e, "how much more memory the process can use");
		return;
	}
	finding_number(e, "memory left", (double)room, SOOTH_UNIT_BYTES, 0);
	if (!growth_reaches(g, g->last + (double)room, &left_ns))
		return;
	finding_severity(e, FINDING_HIGH);
	finding_number(e, "time until the memory that is left is used up", (double)left_ns,
		SOOTH_UNIT_NS, 0);
}

static void claim(struct check *e, const struct trend *j, const struct memory_gain *m)
{
	const struct memory_class *c = memory_gain_leading(m);
	const struct growth *g = &j->growth;
	char gain[UNITS_SIZE], time[UNITS_SIZE];

	if (c && c->gain_bytes * CLASS_SHARE < m->own_bytes)
		c = NULL;
	sentence_size(gain, (uint64_t)(g->last - g->first));
	sentence_duration(time, g->interval_ns);
	if (j->is_of_floors && j->falls)
		finding_claim(e, "memory grows%s%s: %s more in %s, although some was freed %u %s",
			c ? " in " : "", c ? memory_class_texts[c->class_] : "", gain, time, j->falls,
			j->falls == 1 ? "time" : "times");
	else
		finding_claim(e, "memory grows%s%s: %s more in %s", c ? " in " : "",
			c ? memory_class_texts[c->class_] : "", gain, time);
}

static void emit_values(struct check *e, const struct trend *j, const struct memory_gain *m)
{
	const struct growth *g = &j->growth;

	finding_number(
		e, "resident memory when the observation started", g->first, SOOTH_UNIT_BYTES, 0);
	finding_number(
		e, "resident memory when the observation ended", g->last, SOOTH_UNIT_BYTES, 0);
	finding_rate(e, "growth", g->per_s, SOOTH_UNIT_BYTES, g->interval_ns);
	finding_text(e, "steadiness", "grew in %u of %u equal time slices of the observation", g->grown,
		g->windows);
	emit_classes(e, m);
	finding_number(e, "process age", (double)check_age_ns(e), SOOTH_UNIT_NS, 0);
}

static bool has_collector(const struct memory_gain *m)
{
	return (m->runtimes & COLLECTORS) != 0;
}

static void report(struct check *e, const struct trend *j, const struct memory_gain *m)
{
	const struct growth *g = &j->growth;
	bool is_sure = m->is_known && (g->is_steady || j->is_of_floors);

	finding_begin(e, is_sure ? FINDING_CONFIDENCE_HIGH : FINDING_CONFIDENCE_MEDIUM, "");
	claim(e, j, m);
	emit_values(e, j, m);
	emit_limit(e, g);
	if (has_collector(m) && !j->is_of_floors)
		finding_unseen(e, "whether a full garbage collection would free this memory: no "
				  "memory was freed so far");
	emit_remedy(e, m);
	finding_end(e);
}

static bool is_young(const struct check *e)
{
	return (double)check_age_ns(e) < check_option(e, "min-age");
}

/* It may have another reason. A second diagnosis in a row confirms it, but not of a process
 * whose garbage may pile up for longer than that. */
static void report_climb(struct check *e, const struct trend *j, const struct memory_gain *m)
{
	bool is_confirmed = check_is_raised(e, "") && !has_collector(m);

	finding_begin(e, is_confirmed ? FINDING_CONFIDENCE_MEDIUM : FINDING_CONFIDENCE_LOW, "");
	if (!is_confirmed)
		finding_severity(e, FINDING_LOW);
	claim(e, j, m);
	emit_values(e, j, m);
	if (is_young(e))
		finding_unseen(e, "whether the process is still starting: it was started only "
			"recently");
	if (has_collector(m))
		finding_unseen(e, "whether a full garbage collection would free this memory");
	else
		finding_unseen(e, "whether this is a cache that stops growing at a limit");
	emit_remedy(e, m);
	finding_end(e);
}

/* --- the diagnosis --- */

/* Growth that garbage alone may explain: small collections leave much of it to large ones. */
static bool may_be_garbage(const struct check *e, const struct trend *j, const struct memory_gain *m)
{
	const struct growth *g = &j->growth;

	if (!has_collector(m))
		return false;
	if ((double)g->interval_ns < check_option(e, "collector-time"))
		return true;
	return !j->is_of_floors &&
	       (g->last - g->first) * 100 < check_option(e, "collector-share") * g->first;
}

/* Worth a report with low severity, whatever else may explain it. */
static bool is_climb(const struct check *e, const struct trend *j, const struct memory_gain *m)
{
	const struct growth *g = &j->growth;
	double gain = g->last - g->first;

	if (gain < check_option(e, "climb-gain"))
		return false;
	if (has_collector(m) && is_young(e) &&
		gain * 100 < check_option(e, "collector-share") * g->first)
		return false;
	return g->grows || (!j->has_stopped && j->low_gain * 2 >= gain);
}

/* The gain is above the minimum: a finding, or what is missing to decide. */
static void diagnose_gain(struct check *e, const struct trend *j, const struct memory_gain *m)
{
	const struct growth *g = &j->growth;
	bool is_young_too = is_young(e);

	if (g->grows && !is_young_too && !may_be_garbage(e, j, m))
		report(e, j, m);
	else if (is_climb(e, j, m))
		report_climb(e, j, m);
	else if (is_young_too)
		check_too_young(e);
	else if (g->grows)
		check_blind_because(e, "memory grows, but a garbage collection may still free it",
			"observe longer: --duration 5m");
	else if (j->has_stopped)
		check_blind_because(e,
			"memory grew and then stopped: a cache, or a leak that pauses",
			"observe longer: --duration 5m");
	else
		check_blind_because(
			e, "memory grew, but in too few steps to call that a leak", CHECK_LONGER);
}

/* Too little yet, but it still grew at the end and may never stop. */
static bool may_go_on(const struct check *e, const struct trend *j)
{
	const struct growth *g = &j->growth;
	double gain = g->last - g->first;
	bool is_rising = g->grows || (!j->has_stopped && (g->may_grow || j->low_gain * 2 >= gain));

	return is_rising && gain >= check_option(e, "slow-gain") &&
	       gain * (double)NS_PER_S >= check_option(e, "min-rate") * (double)g->interval_ns;
}

static void report_too_little(struct check *e, const struct trend *j)
{
	const struct growth *g = &j->growth;
	char gain[UNITS_SIZE], time[UNITS_SIZE], reason[2 * UNITS_SIZE + 128];

	if (is_young(e)) {
		check_too_young(e);
		return;
	}
	snprintf(reason, sizeof(reason), "%s more in %s: too little to decide whether it goes on",
		sentence_size(gain, whole_u64(g->last - g->first)),
		sentence_duration(time, g->interval_ns));
	check_blind_because(e, reason, "observe longer: --duration 60");
}

static void diagnose_growth(struct check *e, const struct trend *j)
{
	const struct growth *g = &j->growth;
	double least = check_option(e, "min-gain"), gain = g->last - g->first;
	bool is_slow = g->grows && g->is_steady && gain < least &&
		       gain >= check_option(e, "slow-gain") &&
		       check_is_over(e, "min-rate", g->per_s, "");
	bool is_little = !is_slow && gain < least && may_go_on(e, j);
	char first[UNITS_SIZE], last[UNITS_SIZE];
	struct memory_gain m;

	format_bytes(first, whole_u64(g->first));
	format_bytes(last, whole_u64(g->last));
	/* What comes back to its lows has no gain. */
	if (!is_little && ((gain < least && !is_slow) || (!g->grows && !g->may_grow && j->low_gain < least))) {
		if (is_young(e))
			check_too_young(e);
		else
			check_fine(e, "%s resident, then %s", first, last);
		return;
	}
	memory_gain_read(&m, e);
	if (m.is_known && !j->is_of_floors &&
		(double)m.own_bytes <
			(is_slow || is_little ? check_option(e, "slow-gain") : least)) {
		if ((double)m.touched_bytes >= least)
			check_blind_because(e,
				"shared memory that was mapped before is being filled: a buffer, "
				"or a leak",
				"observe longer: --duration 5m");
		else
			check_fine(e, "%s resident, then %s, mostly file pages", first, last);
	} else if (is_little || (is_slow && (has_collector(&m) || !m.is_known)))
		report_too_little(e, j);
	else if (is_slow)
		report_climb(e, j, &m);
	else if (g->grows && !check_is_over(e, "min-rate", g->per_s, ""))
		check_blind_because(e, "memory grows more slowly than min-rate", CHECK_LONGER);
	else
		diagnose_gain(e, j, &m);
}

static void diagnose(struct check *e)
{
	struct growth_point points[POINTS_MAX];
	size_t count = points_of(e, points);
	struct trend j;

	if (count < 2) {
		check_blind(e, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	diagnose_points(e, points, count, &j);
	if (!j.growth.is_measured)
		check_blind_because(e, "the observation has too few samples", CHECK_LONGER);
	else
		diagnose_growth(e, &j);
}

const struct finding_type finding_memory_growth = {
	.id = "memory-growth",
	.worst = FINDING_HIGH,
	.claim = "resident memory keeps growing",
	.probes = "proc",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};

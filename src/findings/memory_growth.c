/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory-growth: resident memory grows and goes on to. What grows is told by the class of its
 * mappings at the first and the last reading, and pages of files do not count: they go when
 * something needs the room.
 *
 * A runtime that collects garbage lets it gather first: that its memory goes up says nothing
 * until a collection could have come, and what it comes back to each time is what stays.
 */
#include <stdlib.h>
#include <string.h>

#include "analyze/diagnosis/check.h"
#include "analyze/inspect/limit_sums.h"
#include "analyze/maps/map_classes.h"
#include "base/units.h"
#include "core/finding.h"
#include "probes/limits.h"

#define POINTS_MAX	 512
#define CLASSES_REPORTED 3
#define COLLECTORS	 (1u << MAPS_JAVASCRIPTCORE | 1u << MAPS_V8 | 1u << MAPS_GO)

static const struct finding_option options[] = {
	{ .name = "min-rate",
		.help = "bytes a second that it gains",
		.unit = SOOTH_UNIT_BYTES,
		.otherwise = 65536,
		.min = 1,
		.max = 1e12 },
	{ .name = "min-gain",
		.help = "bytes it gained meanwhile, pages of files not counted",
		.unit = SOOTH_UNIT_BYTES,
		.otherwise = 16777216,
		.min = 1,
		.max = 1e15 },
	{ .name = "noise",
		.help = "bytes that a window may gain or lose without counting",
		.unit = SOOTH_UNIT_BYTES,
		.otherwise = 65536,
		.min = 0,
		.max = 1e12 },
	{ .name = "min-windows",
		.help = "windows between samples, or between one collection and the next",
		.otherwise = 4,
		.min = 2,
		.max = 500 },
	{ .name = "min-age",
		.help = "age of the process: whoever starts takes much",
		.unit = SOOTH_UNIT_NS,
		.otherwise = 60e9,
		.min = 0,
		.max = 86400e9 },
	{ .name = "collector-time",
		.help = "how long one that collects garbage is watched before a rise counts",
		.unit = SOOTH_UNIT_NS,
		.otherwise = 60e9,
		.min = 0,
		.max = 86400e9 },
	{ .name = "collector-share",
		.help = "of what it had, that it gains meanwhile without giving any back",
		.unit = SOOTH_UNIT_PERCENT,
		.otherwise = 50,
		.min = 0,
		.max = 10000 },
};

/* --- what its memory is --- */

static const char *const class_words[MAP_CLASSES] = {
	[MAP_OTHER] = "anonymous memory",
	[MAP_FILE] = "pages of files",
	[MAP_DELETED_FILE] = "pages of deleted files",
	[MAP_SHARED] = "shared memory",
	[MAP_KERNEL] = "the kernel's own mappings",
	[MAP_THREAD_STACK] = "stacks of threads",
	[MAP_GLIBC_HEAP] = "glibc's heap",
	[MAP_GLIBC_ARENA] = "arenas of glibc's malloc",
	[MAP_MIMALLOC] = "mimalloc's heap",
	[MAP_JEMALLOC] = "jemalloc's heap",
	[MAP_TCMALLOC] = "tcmalloc's heap",
	[MAP_JAVASCRIPTCORE] = "the JavaScript heap (JavaScriptCore)",
	[MAP_V8] = "the JavaScript heap (V8)",
	[MAP_GO] = "the heap of Go",
	[MAP_JIT] = "code made at run time",
	[MAP_BRK] = "the heap (brk)",
	[MAP_RESERVATION] = "reserved addresses",
};

struct class_gain {
	enum map_class class_;
	int64_t gain_bytes, rss_bytes; /* since the first reading; at the last */
};

struct memory {
	bool is_known;				/* there were two readings with figures */
	struct class_gain classes[MAP_CLASSES]; /* the most gain first */
	int64_t own_bytes;			/* gained, without what goes by itself */
	int64_t file_bytes;
	uint32_t runtimes; /* of the last reading, if there was one */
};

static int by_gain(const void *a, const void *b)
{
	const struct class_gain *x = a, *y = b;

	return (y->gain_bytes > x->gain_bytes) - (y->gain_bytes < x->gain_bytes);
}

static void add_class(struct memory *m, enum map_class class_, const struct map_total *first,
	const struct map_total *last)
{
	int64_t gain = (int64_t)(last->rss_bytes - first->rss_bytes);
	int64_t size = (int64_t)(last->size_bytes - first->size_bytes);

	/* Of shared memory that was there before, pages are touched for the first time. */
	if (class_ == MAP_SHARED && gain > size)
		gain = size > 0 ? size : 0;
	m->classes[class_] = (struct class_gain){ class_, gain, (int64_t)last->rss_bytes };
	if (class_ == MAP_FILE || class_ == MAP_DELETED_FILE || class_ == MAP_KERNEL)
		m->file_bytes += gain;
	else
		m->own_bytes += gain;
}

static bool has_values(const struct snapshot *s)
{
	const struct maps_process *end = s ? snapshot_end(s, sizeof(*end)) : NULL;

	return end && end->mappings_state <= SOOTH_STATE_TRUNCATED &&
	       end->figures_state <= SOOTH_STATE_TRUNCATED;
}

static void find_memory(const struct check *e, struct memory *m)
{
	const struct snapshot *first = check_first(e, &e->input->maps);
	const struct snapshot *last = check_last(e, &e->input->maps);
	struct map_total before[MAP_CLASSES], after[MAP_CLASSES];
	struct map_facts facts = { 0 };

	*m = (struct memory){ 0 };
	if (last && !map_facts_gather(&facts, last))
		m->runtimes = facts.runtimes;
	map_facts_fini(&facts);
	if (first == last || !has_values(first) || !has_values(last) || map_totals(first, before) ||
		map_totals(last, after))
		return;
	for (unsigned i = 0; i < MAP_CLASSES; i++)
		add_class(m, i, &before[i], &after[i]);
	qsort(m->classes, MAP_CLASSES, sizeof(m->classes[0]), by_gain);
	m->is_known = true;
}

/* Of what may be told: not what goes by itself. */
static const struct class_gain *leading(const struct memory *m)
{
	for (unsigned i = 0; m->is_known && i < MAP_CLASSES; i++) {
		const struct class_gain *c = &m->classes[i];

		if (c->class_ != MAP_FILE && c->class_ != MAP_DELETED_FILE && c->gain_bytes > 0)
			return c;
	}
	return NULL;
}

/* --- whether it grows --- */

struct judgement {
	struct growth growth;
	bool is_of_floors; /* of what it came back to, each time that it gave some back */
	unsigned falls;
};

static size_t points_of(const struct check *e, struct growth_point out[POINTS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < e->series.count && count < POINTS_MAX; i++) {
		const struct sample_point *p = &e->series.points[i];

		if (p->state != 'Z' && p->rss_bytes)
			out[count++] = (struct growth_point){ p->time_ns, (double)p->rss_bytes };
	}
	return count;
}

/* Points lower than those on both sides. */
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

static void diagnose_points(
	const struct check *e, const struct growth_point *points, size_t count, struct judgement *j)
{
	unsigned windows = (unsigned)check_option(e, "min-windows");
	double noise = check_option(e, "noise");
	struct growth_point floors[POINTS_MAX];
	struct growth of_floors;

	*j = (struct judgement){ 0 };
	growth_diagnose(&j->growth, points, count, windows, noise);
	j->falls = (unsigned)floors_of(points, count, noise, floors);
	if (j->growth.grows || j->falls <= windows)
		return;
	growth_diagnose(&of_floors, floors, j->falls, windows, noise);
	if (!of_floors.grows)
		return;
	j->growth = of_floors;
	j->is_of_floors = true;
}

/* --- the finding --- */

static bool is_claude(const struct check *e)
{
	return e->process && e->process->agent && !strcmp(e->process->agent->name, "claude");
}

static void emit_remedy(struct check *e, const struct memory *m)
{
	unsigned long long pid = e->id.pid;

	if (is_claude(e))
		finding_remedy(e, "type /heapdump in that session: it writes a snapshot of the "
				  "JavaScript heap; a new session (claude --continue) gives the "
				  "memory back");
	else if (m->runtimes & 1u << MAPS_JAVASCRIPTCORE)
		finding_remedy(e, "a snapshot of the JavaScript heap has to come from the program: "
				  "under Bun v8.writeHeapSnapshot() or bun --inspect; a restart "
				  "gives the memory back");
	else if (m->runtimes & 1u << MAPS_V8)
		finding_remedy(e,
			"started with node --heapsnapshot-signal=SIGUSR2, kill -USR2 %llu "
			"writes a heap snapshot (without, that signal ends it); kill -USR1 "
			"%llu opens node's inspector on loopback",
			pid, pid);
	else if (m->runtimes & 1u << MAPS_GO)
		finding_remedy(e, "go tool pprof, where it serves net/http/pprof");
	else
		finding_remedy(e,
			"sooth heap -p %llu tells which functions allocate; a restart "
			"gives the memory back",
			pid);
}

static void emit_classes(struct check *e, const struct memory *m)
{
	char gain[UNITS_SIZE], all[UNITS_SIZE];

	if (!m->is_known) {
		finding_unseen(e, "in which kind of memory it grows: there were no two readings of "
				  "its mappings");
		return;
	}
	for (unsigned i = 0; i < CLASSES_REPORTED && m->classes[i].gain_bytes > 0; i++)
		finding_text(e, "of it", "%s more in %s, now %s",
			format_bytes(gain, (uint64_t)m->classes[i].gain_bytes),
			class_words[m->classes[i].class_],
			format_bytes(all, (uint64_t)m->classes[i].rss_bytes));
}

static void add_room(uint64_t *room, uint64_t bytes)
{
	if (bytes < *room)
		*room = bytes;
}

/* Until something is killed: of its tightest group and of the host. */
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
		finding_unseen(e, "how much memory is left");
		return;
	}
	finding_number(e, "memory that is left to it", (double)room, SOOTH_UNIT_BYTES, 0);
	if (!growth_reaches(g, g->last + (double)room, &left_ns))
		return;
	finding_severity(e, FINDING_HIGH);
	finding_number(e, "at that rate it is used up in", (double)left_ns, SOOTH_UNIT_NS, 0);
}

static void claim(struct check *e, const struct judgement *j, const struct memory *m)
{
	const struct class_gain *c = leading(m);
	const struct growth *g = &j->growth;
	char gain[UNITS_SIZE], time[UNITS_SIZE];

	format_bytes(gain, (uint64_t)(g->last - g->first));
	format_ns(time, g->interval_ns);
	if (j->is_of_floors)
		finding_claim(e, "%s grows: %s more stay in %s, though it gave some back %u times",
			c ? class_words[c->class_] : "memory", gain, time, j->falls);
	else
		finding_claim(e, "%s grows: %s more in %s", c ? class_words[c->class_] : "memory",
			gain, time);
}

static void tell(struct check *e, const struct judgement *j, const struct memory *m)
{
	const struct growth *g = &j->growth;
	bool is_sure = m->is_known && (g->is_steady || j->is_of_floors);

	finding_begin(e, is_sure ? FINDING_CONFIDENCE_HIGH : FINDING_CONFIDENCE_MEDIUM, "");
	claim(e, j, m);
	finding_number(e, "resident at first", g->first, SOOTH_UNIT_BYTES, 0);
	finding_number(e, "resident at last", g->last, SOOTH_UNIT_BYTES, 0);
	finding_rate(e, "growth", g->per_s, SOOTH_UNIT_BYTES, g->interval_ns);
	finding_text(e, "steadiness", "grew in %u of %u windows", g->grown, g->windows);
	emit_classes(e, m);
	finding_number(e, "age of the process", (double)check_age_ns(e), SOOTH_UNIT_NS, 0);
	emit_limit(e, g);
	if (m->runtimes & COLLECTORS && !j->is_of_floors)
		finding_unseen(e, "whether a full collection takes it back: it gave nothing back "
				  "meanwhile");
	emit_remedy(e, m);
	finding_end(e);
}

/* --- judging --- */

/* A rise that garbage alone may explain; small collections leave much of it to large ones. */
static bool may_be_garbage(const struct check *e, const struct judgement *j, const struct memory *m)
{
	const struct growth *g = &j->growth;

	if (!(m->runtimes & COLLECTORS))
		return false;
	if ((double)g->interval_ns < check_option(e, "collector-time"))
		return true;
	return !j->is_of_floors &&
	       (g->last - g->first) * 100 < check_option(e, "collector-share") * g->first;
}

static void diagnose_growth(struct check *e, const struct judgement *j)
{
	const struct growth *g = &j->growth;
	double least = check_option(e, "min-gain");
	char first[UNITS_SIZE], last[UNITS_SIZE];
	struct memory m;

	format_bytes(first, (uint64_t)g->first);
	format_bytes(last, (uint64_t)g->last);
	if (g->last - g->first < least ||
		!(g->may_grow || (g->grows && check_is_over(e, "min-rate", g->per_s, "")))) {
		check_fine(e, "%s resident, then %s", first, last);
		return;
	}
	find_memory(e, &m);
	if (m.is_known && !j->is_of_floors && (double)m.own_bytes < least)
		check_fine(e,
			"%s resident, then %s, most of it pages of files or of memory that was "
			"shared before",
			first, last);
	else if (!g->grows)
		check_blind_because(e, "it grew, by too few steps to call it growth",
			"observe for longer: --duration 30");
	else if (may_be_garbage(e, j, &m))
		check_blind_because(e,
			"it grows, but so far a garbage collection may take that back",
			"observe for longer: --duration 5m");
	else
		tell(e, j, &m);
}

static void judge(struct check *e)
{
	struct growth_point points[POINTS_MAX];
	size_t count = points_of(e, points);
	struct judgement j;

	if (count < 2) {
		check_blind(e, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	diagnose_points(e, points, count, &j);
	if (!j.growth.is_measured)
		check_blind_because(e, "too few samples", "observe for longer, with --duration");
	else if ((double)check_age_ns(e) < check_option(e, "min-age"))
		check_blind_because(e, "it has only just started", "ask again later");
	else
		diagnose_growth(e, &j);
}

const struct finding_type finding_memory_growth = {
	.id = "memory-growth",
	.claim = "resident memory grows, and in which kind of memory",
	.probes = "proc",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.judge = judge,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory-growth: resident memory keeps growing. Comparing the mappings of the first and the last
 * sample shows which class grows. File pages do not count: the kernel frees them when memory is
 * needed.
 *
 * A garbage-collected runtime lets garbage pile up first. Its growth means nothing until a
 * collection could have run, and what remains after each collection is what counts.
 *
 * A fast climb that may have another reason (the process is young, has a collector, or frees memory
 * in between) is reported too, with low severity and confidence, and confirmed by the next
 * diagnosis of a watch. A gain above the minimum is never called fine, nor is a smaller gain that
 * may go on: a longer observation would find it above the minimum.
 */
#include <stdio.h>
#include <string.h>

#include "analyze/evidence/batch_program.h"
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/sockets/socket_sums.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"
#include "analyze/evidence/memory_trend.h"
#include "analyze/inspect/limits.h"

#define CLASSES_REPORTED 3
#define GAIN_TEXT	 (2 * UNITS_SIZE + 8)
#define LONG		 "observe longer: --duration 5m"
#define JAVA_REMEDY                                                                                \
	"sooth heap --ask-runtime -d 10 %u names the class that grows: the JVM runs two full "     \
	"collections for that, which pause the program; java -Xmx limits the heap"

NUMBER(GONE_LEAST, 2, NONE, "connections; a single one may be about to be closed");
NUMBER(CLASS_SHARE, 2, NONE, "a class with this part of the gain is named as the cause");
NUMBER(ONCE_AGE_NS, 10 * NS_PER_S, NS, "a younger process may still start");
NUMBER(ONCE_BYTES, 32 << 20, NONE, "with less memory a program has hardly grown");
NUMBER(ONCE_SLOWER, 4, NONE, "times slower than on average since its start, at most");
NUMBER(KEEPER_LEAST, 33, PERCENT, "of the growth, from which code is named");
NUMBER(KEEPER_OLDER, 0.5, NONE, "part of the gained blocks: so many older blocks were freed");
NUMBER(BATCH_AGE_NS, 600 * NS_PER_S, NS, "an older program is no batch with an end");

static const struct finding_option options[] = {
	BYTES_THRESHOLD(
		"min-rate", 65536, 1, 1e12, "minimum growth of the process's memory per second"),
	UNLISTED_BYTES("min-gain", 16777216, 1, 1e15,
		"minimum total growth of the process's memory, without file pages"),
	BYTES_THRESHOLD("noise", 65536, 0, 1e12,
		"changes of memory between two samples up to this size are ignored"),
	THRESHOLD("min-windows", 4, 2, 500,
		"minimum number of intervals (between samples or garbage collections) that show "
		"growth"),
	UNLISTED_TIME("min-age", 60e9, 0, 86400e9, "minimum process age"),
	UNLISTED_TIME("collector-time", 60e9, 0, 86400e9,
		"minimum observation time if the process has a garbage collector"),
	UNLISTED_PERCENT("collector-share", 50, 0, 10000,
		"minimum growth, in percent of the memory at the start, while the garbage "
		"collector frees nothing"),
	UNLISTED_BYTES("climb-gain", 67108864, 1, 1e15,
		"minimum growth that is reported with low severity although the process is young, "
		"has a garbage collector or frees memory in between"),
	UNLISTED_BYTES("slow-gain", 4194304, 1, 1e15,
		"minimum steady growth below min-gain that is reported with low severity"),
	UNLISTED_BYTES("steady-gain", 6291456, 1, 1e15,
		"minimum growth over 12 s or more, straight and without a fall, that is reported "
		"with low severity although the process is young"),
};

static bool is_claude(const struct check *e)
{
	return e->process && e->process->agent && !strcmp(e->process->agent->name, "claude");
}

/* Returns whether the class is memory of malloc: a snapshot of a managed heap has nothing of it. */
static bool is_of_malloc(const struct memory_class *c)
{
	return c && (c->class_ == MAP_GLIBC_HEAP || c->class_ == MAP_GLIBC_ARENA ||
			    c->class_ == MAP_JEMALLOC || c->class_ == MAP_TCMALLOC ||
			    c->class_ == MAP_MIMALLOC || c->class_ == MAP_BRK ||
			    c->class_ == MAP_MALLOC_ZONE);
}

/* Returns whether the memory belongs neither to the collector nor to malloc, in a process that has
 * a JavaScript heap: then it is buffers. */
static bool is_beside_heap(const struct memory_gain *m, const struct memory_class *c)
{
	return c && c->class_ == MAP_OTHER &&
	       m->runtimes & (1u << MAPS_V8 | 1u << MAPS_JAVASCRIPTCORE);
}

static void remedy_by_code(struct check_result *out, const struct memory_class *c, uint32_t pid)
{
	bool is_elsewhere = c && c->class_ == MAP_OTHER;

	finding_remedy(out,
		"sooth heap --%s -d 30 -p %u shows which code %s; a restart frees the memory",
		is_elsewhere ? "pages" : "leaks", pid,
		is_elsewhere ? "fills it" : "keeps more and more");
}

static void emit_remedy(
	const struct check *e, struct check_result *out, const struct memory_gain *m)
{
	const struct memory_class *c = memory_gain_leading(m);
	uint32_t pid = e->id.pid;

	if (c && c->class_ == MAP_SHARED)
		finding_remedy(out,
			"sooth inspect --maps %u lists the shared mappings, df -h /dev/shm the "
			"room; it is no malloc memory: remove segments that are no longer used",
			pid);
	else if (is_of_malloc(c) || is_beside_heap(m, c))
		remedy_by_code(out, c, pid);
	else if (is_claude(e))
		finding_remedy(out,
			"type /heapdump in the session to write a snapshot of the JavaScript "
			"heap; a new session (claude --continue) frees the memory");
	else if (m->runtimes & 1u << MAPS_JAVASCRIPTCORE)
		finding_remedy(out,
			"have the program write a heap snapshot (Bun: v8.writeHeapSnapshot() "
			"or bun --inspect); a restart frees the memory");
	else if (m->runtimes & 1u << MAPS_V8)
		finding_remedy(out,
			"if the process was started with node --heapsnapshot-signal=SIGUSR2: kill "
			"-USR2 %u writes a heap snapshot (otherwise this signal ends the process); "
			"kill -USR1 %u opens node's inspector on loopback",
			pid, pid);
	else if (m->runtimes & 1u << MAPS_JAVA)
		finding_remedy(out, JAVA_REMEDY, pid);
	else if (m->runtimes & 1u << MAPS_GO)
		finding_remedy(out,
			"if the program serves net/http/pprof, this shows which functions "
			"allocate: go tool pprof http://localhost:6060/debug/pprof/heap");
	else
		remedy_by_code(out, c, pid);
}

static void emit_classes(struct check_result *out, const struct memory_gain *m)
{
	if (!m->is_known) {
		finding_unseen(
			out, "which kind of memory grows: the mappings were listed only once");
		return;
	}
	for (unsigned i = 0; i < CLASSES_REPORTED && m->classes[i].gain_bytes > 0; i++)
		finding_text(out, "what grew", "%s more in %s, now %s",
			FORMAT_BYTES((uint64_t)m->classes[i].gain_bytes),
			map_class_texts[m->classes[i].class_],
			FORMAT_BYTES((uint64_t)m->classes[i].rss_bytes));
}

static void emit_limit(const struct check *e, struct check_result *out, const struct growth *g)
{
	uint64_t room = limit_sums_memory_left(check_last(e, &e->input->limits), &e->input->memory);
	uint64_t left_ns;

	if (room == UINT64_MAX) {
		finding_unseen(out, "how much more memory the process can use");
		return;
	}
	finding_bytes(out, "memory left", room);
	if (!growth_reaches(g, g->last + (double)room, &left_ns))
		return;
	finding_severity(out, FINDING_HIGH);
	finding_time(out, "time until the memory that is left is used up", left_ns);
}

/* Adds connections that the peer had closed at the first sample and that are still open at the
 * last: a queue for such a client grows, and nothing takes from it. */
static void claim_gone(const struct check *e, struct check_result *out)
{
	_cleanup_(socket_index_fini) struct socket_index before = { 0 };
	unsigned count = 0;

	socket_index_init(&before, check_first(e, &e->input->sockets));
	sockets_each (check_last(e, &e->input->sockets), s)
		count += socket_index_both_closed(&before, s);
	if (count < GONE_LEAST)
		return;
	finding_claim(out,
		"; %u peers have closed their connection, which it keeps open (CLOSE_WAIT): "
		"perhaps it keeps data for them",
		count);
	finding_count(out, "connections that the peer has closed and it has not", count, 0);
}

/* Returns whether the place of the allocation is known. Engines of JavaScript and Java move the
 * objects that they keep when they collect: then the place is in the collector. */
static bool has_place(const struct check *e, const struct memory_trend *j,
	const struct memory_gain *m, struct memory_place *place)
{
	uint32_t moving = 1u << MAPS_V8 | 1u << MAPS_JAVASCRIPTCORE | 1u << MAPS_JAVA;

	return !(m->runtimes & moving) && memory_place_find(place, &e->input->touches, &e->id,
						  whole_u64(j->growth.last - j->growth.first));
}

/* Finds the code that keeps most of the growth, as its allocations show. Appends its stack; returns
 * its percentage of the growth, and 0 if no code keeps much of it. */
static unsigned find_keeper(
	const struct check *e, const struct memory_trend *j, struct buffer *stack)
{
	const struct heap_use_process *p = heap_use_of(&e->input->heap, &e->id);
	struct heap_use_growth g;
	double percent;

	/* Until the last record: observing the allocations may have become too expensive. */
	heap_use_growth(&e->input->heap, &e->id, 0, &g);
	if (!g.is_measured || !g.stacks ||
		(p->older_freed > 1 && p->older_freed >= KEEPER_OLDER * g.blocks) ||
		!heap_use_has_caller(&e->input->heap, g.top))
		return 0;
	percent = 100 * g.top_bytes_per_s / j->growth.per_s;
	if (percent < KEEPER_LEAST)
		return 0;
	heap_use_put_stack(&e->input->heap, g.top, stack);
	return percent < 100 ? (unsigned)percent : 100;
}

/* Names the code that keeps the memory; the whole stack is a value. */
static void claim_keeper(struct check_result *out, unsigned percent, const char *text)
{
	const char *end = strstr(text, " < ");

	finding_claim(out, ", %s kept by %.*s", percent > 50 ? "most of it" : "much of it",
		(int)(end ? (size_t)(end - text) : strlen(text)), text);
	finding_text(out, "kept by", "%s (%u %% of the growth)", text, percent);
}

static const char *why_no_keeper(const struct check *e)
{
	struct heap_use_growth g;

	if (!heap_use_of(&e->input->heap, &e->id))
		return "its allocations were not observed";
	heap_use_growth(&e->input->heap, &e->id, 0, &g);
	return g.is_measured ? "no code kept more all the time while allocations were observed"
			     : "it allocates so often that observing it would slow it";
}

/* The code that touches new memory first may hand it on: if an allocator is between, that is no
 * claim. */
static void emit_place(const struct check *e, struct check_result *out,
	const struct memory_place *place, bool is_claim)
{
	if (is_claim)
		finding_claim(out, ", %s touched by %.*s%s%.*s%s",
			place->percent > 50 ? "most of it" : "much of it",
			SPAN_ARGS(place->function), place->file.size ? " (" : "",
			SPAN_ARGS(place->file), place->file.size ? ")" : "");
	else
		finding_unseen(out, "which code keeps it: %s", why_no_keeper(e));
	finding_text(out, "touched there first", "%u %% of %s in new pages%s%.*s", place->percent,
		FORMAT_BYTES(place->touched_bytes), is_claim ? "" : ", in ",
		is_claim ? 0 : SPAN_ARGS(place->function));
}

static void emit_claim(const struct check *e, struct check_result *out,
	const struct memory_trend *j, const struct memory_gain *m)
{
	_cleanup_(buffer_fini) struct buffer stack = { 0 };
	struct memory_place place;
	unsigned kept;
	const struct memory_class *c = memory_gain_leading(m);
	const struct growth *g = &j->growth;
	const char *gain = SENTENCE_SIZE((uint64_t)(g->last - g->first));
	const char *time = SENTENCE_DURATION(g->interval_ns);
	const char *where;

	if (c && c->gain_bytes * CLASS_SHARE < m->own_bytes)
		c = NULL;
	where = !c		       ? ""
		: is_beside_heap(m, c) ? "anonymous memory outside of the JavaScript heap"
				       : map_class_texts[c->class_];
	if (j->is_of_floors && j->falls)
		finding_claim(out, "memory grows%s%s: %s more in %s, although some was freed %u %s",
			c ? " in " : "", where, gain, time, j->falls,
			j->falls == 1 ? "time" : "times");
	else
		finding_claim(
			out, "memory grows%s%s: %s more in %s", c ? " in " : "", where, gain, time);
	kept = find_keeper(e, j, &stack);
	if (kept)
		claim_keeper(out, kept, buffer_cstr(&stack));
	else if (has_place(e, j, m, &place))
		emit_place(e, out, &place, !is_of_malloc(memory_gain_leading(m)));
	else if (heap_use_of(&e->input->heap, &e->id))
		finding_unseen(out, "which code keeps it: %s", why_no_keeper(e));
	claim_gone(e, out);
}

/* Reports growth, or a climb, which may have another reason. A second diagnosis in a row confirms a
 * climb, unless garbage of the process may pile up for longer. */
static void report_growth(const struct check *e, struct check_result *out,
	const struct memory_trend *j, const struct memory_gain *m, bool is_climb)
{
	bool has_collector = memory_has_collector(m);
	bool is_confirmed = check_is_raised(e, "") && !has_collector;
	bool is_sure = m->is_known && (j->growth.is_steady || j->is_of_floors);
	const struct growth *g = &j->growth;

	finding_begin(out,
		is_climb ? confidence_medium_if(is_confirmed) : confidence_high_if(is_sure), "");
	finding_low_if(out, is_climb && !is_confirmed);
	emit_claim(e, out, j, m);
	finding_number(
		out, "resident memory when the observation started", g->first, SOOTH_UNIT_BYTES, 0);
	finding_number(
		out, "resident memory when the observation ended", g->last, SOOTH_UNIT_BYTES, 0);
	finding_rate(out, "growth", g->per_s, SOOTH_UNIT_BYTES, g->interval_ns);
	finding_text(out, "steadiness", "grew in %u of %u equal time slices of the observation",
		g->grown, g->windows);
	emit_classes(out, m);
	finding_time(out, "process age", check_age_ns(e));
	if (!is_climb)
		emit_limit(e, out, &j->growth);
	else if (check_is_young(e))
		finding_unseen(
			out, "whether the process is still starting: it was started only recently");
	if (has_collector && (is_climb || !j->is_of_floors))
		finding_unseen(out, "whether a full garbage collection would free this memory%s",
			is_climb ? "" : ": no memory was freed so far");
	else if (is_climb)
		finding_unseen(out, "whether this is a cache that stops growing at a limit");
	emit_remedy(e, out, m);
}

/* Writes "4.0 MiB in 5 s". */
static const char *gain_text(char out[GAIN_TEXT], const struct growth *g)
{
	snprintf(out, GAIN_TEXT, "%s in %s", SENTENCE_SIZE(whole_u64(g->last - g->first)),
		SENTENCE_DURATION(g->interval_ns));
	return out;
}

/* Returns whether garbage alone may explain the growth: small collections leave much of it to large
 * ones. */
static bool may_be_garbage(
	const struct check *e, const struct memory_trend *j, const struct memory_gain *m)
{
	const struct growth *g = &j->growth;

	if (!memory_has_collector(m))
		return false;
	if (g->interval_ns < check_option(e, "collector-time"))
		return true;
	return !j->is_of_floors &&
	       (g->last - g->first) * 100 < check_option(e, "collector-share") * g->first;
}

/* Reports the gain of a young process: without it, "too young" would sound like no problem. */
static void report_too_early(
	struct check_result *out, const struct memory_trend *j, const struct memory_gain *m)
{
	const struct memory_class *c = memory_gain_leading(m);
	char gain[GAIN_TEXT], reason[GAIN_TEXT + 96];

	snprintf(reason, sizeof(reason), "memory grew %s%s%s, too early to judge",
		gain_text(gain, &j->growth), c ? ", mostly in " : "",
		c ? map_class_texts[c->class_] : "");
	check_blind_by(out, FINDING_YOUNG, reason, "try again later");
}

/* Reports a gain above the minimum: a finding, or the data that is missing to decide. */
static void diagnose_gain(const struct check *e, struct check_result *out,
	const struct memory_trend *j, const struct memory_gain *m)
{
	const struct growth *g = &j->growth;
	char gain[GAIN_TEXT], reason[GAIN_TEXT + 96];

	if (g->grows && !check_is_young(e) && !may_be_garbage(e, j, m))
		report_growth(e, out, j, m, false);
	else if (memory_climbs(e, j, m))
		report_growth(e, out, j, m, true);
	else if (check_is_young(e))
		report_too_early(out, j, m);
	else {
		snprintf(reason, sizeof(reason), "memory grew %s: %s", gain_text(gain, g),
			g->grows	 ? "a garbage collection may still free it"
			: j->has_stopped ? "then it stopped: a cache, or a leak that pauses"
					 : "in too few steps to call that a leak");
		check_blind_because(out, reason, g->grows || j->has_stopped ? LONG : CHECK_LONGER);
	}
}

/* Returns whether the gain is too small yet, but still grew at the end and may never stop. */
static bool may_go_on(const struct check *e, const struct memory_trend *j)
{
	const struct growth *g = &j->growth;
	double gain = g->last - g->first;
	bool is_rising = g->grows || (!j->has_stopped && (g->may_grow || j->low_gain * 2 >= gain));

	return is_rising && gain >= check_option(e, "slow-gain") &&
	       gain * NS_PER_S >= check_option(e, "min-rate") * g->interval_ns;
}

static void report_too_little(const struct check *e, struct check_result *out,
	const struct memory_trend *j, const struct memory_gain *m)
{
	const struct growth *g = &j->growth;
	char reason[2 * UNITS_SIZE + 64];

	snprintf(reason, sizeof(reason), "%s more in %s: too little to decide whether it goes on",
		SENTENCE_SIZE(whole_u64(g->last - g->first)), SENTENCE_DURATION(g->interval_ns));
	if (check_is_young(e))
		report_too_early(out, j, m);
	else
		check_blind_because(out, reason, "observe longer: --duration 60");
}

/* Returns whether memory returned to its lows, or to no more than it had earlier; it is open
 * whether a new high returns, too. */
static bool has_fallen_back(const struct memory_trend *j)
{
	return j->has_stopped || j->largest_fall * 2 >= j->growth.last - j->growth.first;
}

enum size { NO_GAIN, LITTLE_GAIN, SLOW_GAIN, FULL_GAIN };

static enum size gain_size(const struct check *e, const struct memory_trend *j)
{
	const struct growth *g = &j->growth;
	double least = check_option(e, "min-gain"), gain = g->last - g->first;

	if (gain >= least)
		return g->grows || g->may_grow || j->low_gain >= least || !has_fallen_back(j)
			       ? FULL_GAIN
		       : may_go_on(e, j) ? LITTLE_GAIN
					 : NO_GAIN;
	if (g->grows && g->is_steady && gain >= check_option(e, "slow-gain") &&
		check_is_over(e, "min-rate", g->per_s, ""))
		return SLOW_GAIN;
	return may_go_on(e, j) ? LITTLE_GAIN : NO_GAIN;
}

static bool is_batch_work(const struct check *e)
{
	return e->process && check_age_ns(e) < BATCH_AGE_NS &&
	       batch_program_grows(
		       record_text(&e->process->process->record, &e->process->process->name));
}

/* Reports what else explains the gain; false: nothing does. */
static bool explain_gain(const struct check *e, struct check_result *out,
	const struct memory_trend *j, const struct memory_gain *m, enum size size)
{
	double least = check_option(e, size == FULL_GAIN ? "min-gain" : "slow-gain");
	bool is_short = j->growth.interval_ns < check_option(e, "collector-time");
	bool is_filling = !(m->runtimes & MEMORY_COLLECTORS & ~(1u << MAPS_JAVA)) && is_short;

	if (is_batch_work(e)) {
		check_blind_because(out,
			"a compiler, compressor or the like: its memory grows with its task", LONG);
		return true;
	}
	if (!m->is_known || j->is_of_floors)
		return false;
	if ((double)m->own_bytes < least && m->touched_bytes < check_option(e, "min-gain"))
		check_fine(out, "%s resident, then %s, mostly file pages",
			FORMAT_BYTES(whole_u64(j->growth.first)),
			FORMAT_BYTES(whole_u64(j->growth.last)));
	else if ((double)m->own_bytes < least)
		check_blind_because(out,
			"shared memory that was mapped before is being filled: a buffer, or a leak",
			LONG);
	else if (is_filling && (double)m->new_bytes < least)
		check_blind_because(out,
			"memory that was mapped before is being filled: a buffer, or a leak", LONG);
	else
		return false;
	return true;
}

static void diagnose_growth(
	const struct check *e, struct check_result *out, const struct memory_trend *j)
{
	const struct growth *g = &j->growth;
	enum size size = gain_size(e, j);
	struct memory_gain m;

	if (size == NO_GAIN) {
		check_fine(out, "%s resident, then %s", FORMAT_BYTES(whole_u64(g->first)),
			FORMAT_BYTES(whole_u64(g->last)));
		return;
	}
	memory_gain_read(&m, e);
	if (explain_gain(e, out, j, &m, size))
		return;
	if (size == FULL_GAIN && g->grows && !check_is_over(e, "min-rate", g->per_s, ""))
		check_blind_because(out, "memory grows more slowly than min-rate", CHECK_LONGER);
	else if (size == FULL_GAIN)
		diagnose_gain(e, out, j, &m);
	else if (memory_climbs_slowly(e, j, &m))
		report_growth(e, out, j, &m, true);
	else if (size == LITTLE_GAIN || memory_has_collector(&m) || !m.is_known ||
		 check_is_young(e))
		report_too_little(e, out, j, &m);
	else
		report_growth(e, out, j, &m, true);
}

/* Reports that collections left more and more memory: it is no garbage, and no heap that is only
 * being filled. A start and a cache look the same. */
static void report_kept(
	const struct check *e, struct check_result *out, const struct managed_heap *h)
{
	bool is_sure = !check_is_young(e) && check_is_raised(e, "");

	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_low_if(out, !is_sure);
	finding_claim(out,
		"the Java heap keeps more after each collection: %s, then %s in the old "
		"generation, after %llu collections",
		SENTENCE_SIZE(h->first), SENTENCE_SIZE(h->last),
		(unsigned long long)h->collections);
	finding_rate(out, "growth of the old generation",
		(double)(h->last - h->first) * (double)NS_PER_S / (double)h->interval_ns,
		SOOTH_UNIT_BYTES, h->interval_ns);
	finding_count(out, "collections", h->collections, h->interval_ns);
	finding_time(out, "process age", check_age_ns(e));
	finding_unseen(out, "whether a full collection would free this memory, or a cache stops "
			    "growing at a limit");
	finding_remedy(out, JAVA_REMEDY, e->id.pid);
}

/* --- by a single look --- */

/* Returns whether the process runs a collector: its heap grows with garbage. */
static bool may_collect(struct span name)
{
	static const char *const names[] = { "node", "MainThread", "bun", "deno", "java" };

	return SPAN_ANY(name, span_equal, names);
}

/* Reports the tool of an agent that grows now, about as fast as on average since its start. */
static bool diagnose_once(const struct check *e, struct check_result *out)
{
	const struct process_entry *p = e->process;
	const struct sample_series *s = &e->series;
	uint64_t age_ns = check_age_ns(e), interval_ns = sample_series_ns(s), gain, rss;

	if (!interval_ns || age_ns < ONCE_AGE_NS || !p->has_role || p->role != AGENT_ROLE_TOOL ||
		is_batch_work(e) || may_collect(check_name(p)))
		return false;
	rss = s->points[s->count - 1].rss_bytes;
	gain = rss > s->points[0].rss_bytes ? rss - s->points[0].rss_bytes : 0;
	if (rss < ONCE_BYTES || (double)gain < check_option(e, "noise") ||
		(double)gain * ONCE_SLOWER * (double)age_ns < (double)rss * (double)interval_ns)
		return false;
	finding_begin(out, FINDING_CONFIDENCE_LOW, "");
	finding_severity(out, FINDING_LOW);
	finding_claim(out, "memory grows: %s %s after its start, %s more in the last %s",
		SENTENCE_SIZE(rss), SENTENCE_DURATION(age_ns), SENTENCE_SIZE(gain),
		SENTENCE_DURATION(interval_ns));
	finding_number(out, "resident memory", (double)rss, SOOTH_UNIT_BYTES, 0);
	finding_unseen(out, "whether it goes on growing: it was not watched long enough");
	finding_remedy(out, "sooth diagnose %u watches how it goes on", e->id.pid);
	return true;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct managed_heap heap;
	struct growth_point points[MEMORY_POINTS_MAX];
	size_t count = memory_trend_points(e, points);
	struct memory_trend j;

	if (count < 2) {
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	memory_trend_of(&j, e, points, count);
	if (managed_heap_grows(&heap, e, check_option(e, "slow-gain")))
		report_kept(e, out, &heap);
	else if (!j.growth.is_measured)
		check_blind_because(out, "the observation has too few samples", CHECK_LONGER);
	else
		diagnose_growth(e, out, &j);
}

const struct finding_detector finding_memory_growth = { diagnose, FINDING_OPTIONS(options),
	.diagnose_once = diagnose_once };

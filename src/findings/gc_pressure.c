/* SPDX-License-Identifier: BSD-2-Clause */
/* gc-pressure: a runtime spends most of its CPU time in garbage collection, because its heap is
 * almost full of memory that is in use: each collection frees little, and the next one follows at
 * once. The names of the collecting threads show that, or, if the program's own threads collect,
 * the functions in sampled stacks. A collection now and then, even by many threads at once, is
 * healthy: so the threads have to be busy throughout the observation. */
#include "analyze/evidence/tally.h"
#include "analyze/evidence/work_share.h"
#include "base/cleanup.h"

#define WITH_READY "the same with the time in which it waited for a CPU"

NUMBER(CPU_LEAST, 5, PERCENT, "of one CPU; below, the share means nothing");
NUMBER(OBSERVED_LEAST, NS_PER_S / 2, NS, "a collection may take a tenth of a second");

static const struct finding_option options[] = {
	PERCENT_THRESHOLD("min-cpu", 50, 1, 1e5,
		"minimum CPU use of the threads that collect garbage, in percent of one CPU; time "
		"in which they were ready to run counts too"),
	PERCENT_THRESHOLD("min-share", 50, 1, 100,
		"minimum share of the process's CPU time that garbage collection uses"),
	PERCENT_THRESHOLD("min-running", 50, 1, 100,
		"minimum percentage of the samples in which a thread that collects runs"),
};

struct collection {
	struct thread_top threads; /* the busiest first */
	double cpu, all;	   /* percent of one CPU: collecting threads; all threads */
	double demand;		   /* the same including the time they were ready to run */
	double running; /* share of samples that found a collecting thread running, in percent */
	bool is_of_jvm;
	struct work_cpu process;   /* all threads */
	struct profile_match work; /* stacks in which the program collects */
};

static bool is_of_jvm(const char *name)
{
	static const char *const names[] = { "VM Thread", "GC Thread#", "G1 " };

	return SPAN_ANY(span_of_string(name), span_starts, names);
}

static struct collection collection_of(const struct check *e)
{
	struct collection c = { .work = profile_work_of(
					&e->input->profile, &e->id, PROFILE_WORK_GC) };

	work_cpu_of(&c.process, e);
	thread_histories_for_each (&e->input->threads, &e->id, t) {
		double cpu = thread_history_cpu(t), demand = thread_history_demand(t);

		if (cpu < 0 || thread_top_role(t) != THREAD_ROLE_GC)
			continue;
		c.cpu += cpu;
		c.demand += demand > cpu ? demand : cpu;
		c.running += t->met ? 100.0 * t->running / t->met : 0;
		c.is_of_jvm |= is_of_jvm(t->name);
		thread_top_add(&c.threads, t, thread_history_cpu);
	}
	if (c.running > 100)
		c.running = 100;
	return c;
}

/* Returns whether the collector is under pressure. Its helper threads start and end with the work:
 * if they lived only for the last 50 ms, the heap is not almost full. */
static bool collects_too_much(const struct check *e, const struct collection *c)
{
	return thread_history_ns(c->threads.all[0]) >= OBSERVED_LEAST &&
	       c->running >= check_option(e, "min-running") &&
	       100 * c->cpu >= check_option(e, "min-share") * c->process.cpu &&
	       c->cpu >= CPU_LEAST && check_is_over(e, "min-cpu", c->demand, "");
}

static void put_cpu(struct buffer *out, const struct thread_history *t)
{
	buffer_format(out, ": %.0f %%", thread_history_cpu(t));
}

static void report_collection(
	const struct check *e, struct check_result *out, const struct collection *c)
{
	uint64_t interval_ns = thread_history_ns(c->threads.all[0]);
	bool is_held_back = c->cpu < check_option(e, "min-cpu") && c->demand > c->cpu;

	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_claim(out,
		"spends %.0f %% of %s in garbage collection: the heap is probably almost full",
		is_held_back ? 100 * c->cpu / c->process.cpu : c->cpu,
		is_held_back ? "its CPU time" : "a CPU");
	finding_percent(out, "CPU use of garbage collection", c->cpu, interval_ns);
	finding_percent(
		out, "share of the process's CPU time", 100 * c->cpu / c->process.cpu, interval_ns);
	if (is_held_back)
		finding_percent(out, WITH_READY, c->demand, interval_ns);
	thread_top_emit(&c->threads, out, put_cpu);
	finding_unseen(out, "how full the heap is, and how much a collection frees");
	if (c->is_of_jvm)
		finding_remedy(out,
			"jcmd %u GC.heap_info, as the user of the process, shows how full the heap "
			"is; a larger java -Xmx gives it room; jcmd %u GC.heap_dump FILE.hprof "
			"shows what fills it",
			e->id.pid, e->id.pid);
	else
		finding_remedy(out,
			"give the heap more room, or write a heap snapshot to see what fills it; a "
			"restart frees the memory (threads: sooth inspect --threads %u)",
			e->id.pid);
}

/* --- by functions: V8, Python and Go collect in the threads of the program --- */

static const char *remedy_of(struct span function)
{
	static const struct {
		const char *function; /* part of the names of functions that collect */
		const char *remedy;
	} heaps[] = {
		{ "v8::", "node --max-old-space-size=MEGABYTES gives the heap more room; if it is "
			  "started with --heapsnapshot-signal=SIGUSR2, kill -USR2 PID makes it "
			  "write a heap snapshot" },
		{ "runtime.", "GOGC=200 or a higher GOMEMLIMIT in its environment lets it collect "
			      "less often; net/http/pprof shows what fills the heap" },
		{ "gc", "gc.freeze() after the start and fewer gc.collect() calls collect less; "
			"tracemalloc shows what allocates" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(heaps); i++)
		if (span_contains(function, heaps[i].function))
			return heaps[i].remedy;
	return "give the heap more room, or write a heap snapshot to see what fills it";
}

static bool is_by_functions(const struct check *e, const struct collection *c)
{
	return !c->threads.count && c->work.samples >= PROFILE_PATTERN_LEAST &&
	       c->work.function.size && 100 * c->work.share >= check_option(e, "min-share") &&
	       c->process.cpu >= CPU_LEAST && check_is_over(e, "min-cpu", c->process.demand, "");
}

static void report_functions(
	const struct check *e, struct check_result *out, const struct collection *c)
{
	struct span function = c->work.function;
	_cleanup_(buffer_fini) struct buffer place = { 0 };

	work_put_place(&place, e);
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_claim(out, "spends %.0f %% of its CPU time in garbage collection%s",
		100 * c->work.share, buffer_cstr(&place));
	finding_percent(out, "CPU", c->process.cpu, c->process.interval_ns);
	if (c->process.demand >= 1.2 * c->process.cpu)
		finding_percent(out, WITH_READY, c->process.demand, c->process.interval_ns);
	finding_text(out, "garbage collection", "%.0f %% of %llu samples", 100 * c->work.share,
		(unsigned long long)c->work.samples);
	finding_text(out, "most of it in", "%.*s", SPAN_ARGS(function));
	finding_unseen(out, "how full the heap is, and how much a collection frees");
	finding_remedy(
		out, "%s; sooth profile %u shows the callers", remedy_of(function), e->id.pid);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct collection c = collection_of(e);

	if (!c.process.is_measured)
		check_blind(out, thread_histories_uncounted(&e->input->threads, &e->id));
	else if (is_by_functions(e, &c))
		report_functions(e, out, &c);
	else if (!c.threads.count)
		check_fine(out, "no thread with the name of a garbage collector");
	else if (collects_too_much(e, &c))
		report_collection(e, out, &c);
	else
		check_fine(out, "garbage collection: %.0f %% of a CPU", c.cpu);
}

const struct finding_detector finding_gc_pressure = { diagnose, FINDING_OPTIONS(options) };

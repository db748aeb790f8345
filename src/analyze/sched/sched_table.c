/* SPDX-License-Identifier: BSD-2-Clause */
/* Times of threads by state, one row each; the longest wait for a CPU comes first. The states of a
 * thread add up to its observed time. */
#include <stdlib.h>
#include <string.h>

#include "analyze/calls/syscall_sums.h"
#include "analyze/records.h"
#include "analyze/sched/sched_sums.h"
#include "base/cleanup.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "probes/sched.h"

#define ROWS_SHOWN 40

_Static_assert(SCHED_BUCKETS == SYSCALLS_BUCKETS, "their percentiles are computed alike");

#define SUMMARY_ROW(F, S)                                                                          \
	F(S, NAMED, U64, threads, thread_count, ALWAYS, "threads that were observed",              \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, U64, wall_ns, ALWAYS, "time in which they were observed, added up", .label = "WALL",  \
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM)                                   \
	F(S, REAL, running_percent, MAYBE(wall_state), "share of that time on a CPU",              \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, REAL, ready_percent, WITH(wall_state), "share in which they could have run",          \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, REAL, sleeping_percent, WITH(wall_state), "share in waits that a signal ends",        \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, REAL, blocked_percent, WITH(wall_state), "share in waits that no signal ends",        \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, REAL, stopped_percent, WITH(wall_state), "share in which they were stopped",          \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)

ROW_TABLE(summary, SUMMARY_ROW, "scheduling", summary_row,
	.line = "{thread_count thread}, {wall_ns} together[: {running_percent} % running][, "
		"{ready_percent} % ready to run][, {sleeping_percent} % sleeping][, "
		"{blocked_percent} % blocked][, {stopped_percent} % stopped]");

#define THREAD_ROW(F, S)                                                                           \
	F(S, PID)                                                                                  \
	F(S, RECORD, U32, tid, tid, ALWAYS, "thread id in the pid namespace of sooth",              \
		.label = "TID")                                                                    \
	F(S, TEXT, process, ALWAYS, "name of the process", .is_hidden = true)                      \
	F(S, TEXT, thread, ALWAYS, "name of the thread")                                           \
	F(S, U64, longest_ns, MAYBE(longest_state),                                                \
		"longest time in which a thread could have run but did not run",                   \
		.label = "LONGEST", .unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_MAX)               \
	F(S, U64, p99_ns, MAYBE(latency_state),                                                    \
		"99th percentile of its wake-up latency, estimated from the histogram",            \
		.label = "P99", .unit = SOOTH_UNIT_NS)                                             \
	F(S, U64, p50_ns, WITH(latency_state), "median of its wake-up latency", .label = "P50",    \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U64, wall_ns, ALWAYS, "time in which the thread was observed: all states together",   \
		.label = "WALL", .unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM)                  \
	F(S, U64, running_ns, ALWAYS, "time on a CPU", .label = "RUNNING", .unit = SOOTH_UNIT_NS,  \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, U64, ready_ns, ALWAYS, "time in which the thread could have run but did not run",     \
		.label = "READY", .unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM)                 \
	F(S, U64, woken_ns, ALWAYS, "part of ready_ns: from wake-ups until the thread ran",        \
		.is_hidden = true, .unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM)                \
	F(S, U64, preempted_ns, ALWAYS,                                                            \
		"part of ready_ns: another thread had taken the CPU of the thread",                \
		.is_hidden = true, .unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM)                \
	F(S, U64, sleeping_ns, ALWAYS, "time in interruptible waits: a signal can end them",       \
		.label = "SLEEPING", .unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM)              \
	F(S, U64, blocked_ns, ALWAYS, "time in uninterruptible waits: disk, page of memory",       \
		.label = "BLOCKED", .unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM)               \
	F(S, NAMED, U64, stopped_ns, stopped_time_ns, ALWAYS,                                      \
		"time stopped by a signal, a debugger or its control group", .label = "STOPPED",   \
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM)                                   \
	F(S, U64, voluntary, ALWAYS, "switches to another thread because this thread had to wait", \
		.label = "WAITS", .merge = SOOTH_MERGE_SUM)                                        \
	F(S, U64, involuntary, ALWAYS,                                                             \
		"switches to another thread although this thread could have run on",               \
		.label = "PREEMPTED", .merge = SOOTH_MERGE_SUM)                                    \
	F(S, U64, wakeups, ALWAYS, "waits that ended", .is_hidden = true,                          \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, U64, migrations, ALWAYS, "moves to another CPU", .label = "MIGRATIONS",               \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, U64, longest_at_ns, WITH(longest_state), "end of the longest time",                   \
		.is_hidden = true, .unit = SOOTH_UNIT_TIME_NS)                                     \
	F(S, ALSO, HISTOGRAM, histogram, latency_ns, ALWAYS,                                       \
		"histogram of times from a wake-up until it ran: slot i from 2^i to 2^(i+1) ns",   \
		.unit = SOOTH_UNIT_NS, .label = "LATENCIES")

ROW_STRUCT(thread_row, THREAD_ROW, uint32_t histogram[SCHED_BUCKETS];);
static ROW_SCHEMA(thread, THREAD_ROW, "threads", thread_row);

static const struct sooth_schema *const tables[] = { &summary_schema, &thread_schema, NULL };

static const struct section summary_section = SECTION_OF("scheduling", summary_schema, OBJECT);

static const struct section thread_section = SECTION_OF("threads", thread_schema, TABLE,
	.if_empty = "no thread of the target was observed", .rows_most = ROWS_SHOWN,
	.spare = "migrations,stopped_time_ns,p50_ns,blocked_ns,involuntary,voluntary");

struct table_state {
	struct output *output;
	struct sched_sums sums;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct table_state *s = state;

	(void)options;
	(void)err;
	s->output = output;
	sched_sums_init(&s->sums);
	return 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct table_state *s = state;

	(void)err;
	sched_sums_add_batch(&s->sums, batch);
	return 0;
}

static int compare_by_longest(const void *left, const void *right)
{
	const struct sched_times *a = *(const struct sched_times *const *)left;
	const struct sched_times *b = *(const struct sched_times *const *)right;

	if (a->longest_ns != b->longest_ns)
		return a->longest_ns > b->longest_ns ? -1 : 1;
	if (a->record.pid != b->record.pid)
		return a->record.pid < b->record.pid ? -1 : 1;
	if (a->record.tid != b->record.tid)
		return a->record.tid < b->record.tid ? -1 : 1;
	return a->record.start_ticks < b->record.start_ticks ? -1 : 1;
}

static bool has_latency(const struct sched_times *t)
{
	for (size_t i = 0; i < SCHED_BUCKETS; i++) {
		if (t->histogram[i])
			return true;
	}
	return false;
}

static struct span span_of_name(const char text[SCHED_NAME_BYTES])
{
	return span_of(text, strnlen(text, SCHED_NAME_BYTES));
}

static int emit_thread(struct table_state *s, const struct sched_times *t, struct sooth_error *err)
{
	struct thread_row row = { .record = row_head_like(&t->record),
		.longest_ns = t->longest_ns,
		.longest_at_ns = t->longest_at_ns,
		.longest_state = state_if(t->longest_ns),
		.p99_ns = call_percentile(t->histogram, t->longest_ns, 99),
		.p50_ns = call_percentile(t->histogram, t->longest_ns, 50),
		.latency_state = state_if(has_latency(t)),
		.wall_ns = sched_wall_ns(t),
		.running_ns = t->running_ns,
		.ready_ns = t->woken_ns + t->preempted_ns,
		.woken_ns = t->woken_ns,
		.preempted_ns = t->preempted_ns,
		.sleeping_ns = t->sleeping_ns,
		.blocked_ns = t->blocked_ns,
		.stopped_ns = t->stopped_ns,
		.voluntary = t->voluntary,
		.involuntary = t->involuntary,
		.wakeups = t->wakeups,
		.migrations = t->migrations };
	struct record_tail tail[] = { tail_span(&row.process, span_of_name(t->process)),
		tail_span(&row.thread, span_of_name(t->thread)) };

	row.record.tid = t->record.tid;
	memcpy(row.histogram, t->histogram, sizeof(row.histogram));
	return OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_threads(struct table_state *s, struct sooth_error *err)
{
	size_t count = s->sums.threads.count, position = 0, found = 0;
	_cleanup_free_ const struct sched_times **sorted = calloc(count + 1, sizeof(*sorted));
	int status = output_section(s->output, &thread_section, err);
	const struct sched_times *t;

	if (!sorted)
		return error_no_memory(err);
	while (found < count && (t = sched_sums_next(&s->sums, &position)))
		sorted[found++] = t;
	qsort(sorted, found, sizeof(*sorted), compare_by_longest);
	for (size_t i = 0; i < found && !status; i++)
		status = emit_thread(s, sorted[i], err);
	return status;
}

static double percent_of(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static int emit_summary(struct table_state *s, struct sooth_error *err)
{
	struct sched_times all = { 0 };
	const struct sched_times *t;
	struct summary_row row = { 0 };
	size_t position = 0;

	while ((t = sched_sums_next(&s->sums, &position)))
		sched_times_add(&all, t);
	row.threads = s->sums.threads.count;
	row.wall_ns = sched_wall_ns(&all);
	row.wall_state = state_if(row.wall_ns);
	row.running_percent = percent_of(all.running_ns, row.wall_ns);
	row.ready_percent = percent_of(all.woken_ns + all.preempted_ns, row.wall_ns);
	row.sleeping_percent = percent_of(all.sleeping_ns, row.wall_ns);
	row.blocked_percent = percent_of(all.blocked_ns, row.wall_ns);
	row.stopped_percent = percent_of(all.stopped_ns, row.wall_ns);
	return OUTPUT_OBJECT(s->output, &summary_section, &row, NULL, 0, err);
}

static int finish(void *state, struct sooth_error *err)
{
	struct table_state *s = state;
	int status;

	if (s->sums.threads.refused)
		output_limit(s->output, "some threads",
			"a table in sooth is full: further threads are not counted", "");
	status = emit_summary(s, err);
	return status ? status : emit_threads(s, err);
}

static void fini(void *state)
{
	struct table_state *s = state;

	sched_sums_fini(&s->sums);
}

const struct stage_type stage_sched_table = {
	.name = "sched-table",
	.help = "times of threads by state, and how long they waited for a CPU",
	.probe = "sched",
	.shows = "sched",
	.tables = tables,
	STAGE_FUNCTIONS(struct table_state),
};

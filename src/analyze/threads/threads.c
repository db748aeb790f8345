/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads of processes, busiest first: CPU between two snapshots, present call, wait and
 * scheduling. */
#include <stdio.h>

#include "analyze/process_view.h"
#include "analyze/threads/thread_roles.h"
#include "analyze/threads/thread_times.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "probes/syscall_names.h"

#define STATES 128 /* letters */

#define THREADS_ROW(F, S)                                                                          \
	F(S, PID)                                                                                  \
	F(S, RECORD, U64, tid, tid, ALWAYS, "thread id in the pid namespace of sooth",              \
		.is_key = true)                                                                    \
	F(S, TEXT, name, ALWAYS, "name of the thread (comm)")                                      \
	F(S, ENUM32, role, MAYBE(role_state), "role of the thread, recognized by its name",        \
		.names = &thread_role_names)                                                       \
	F(S, ALSO, CHARS, state, state, ALWAYS,                                                    \
		"thread state: R running, S sleeping, D uninterruptible, T stopped, t traced, Z "  \
		"zombie, I idle")                                                                  \
	F(S, REAL, cpu_percent, MAYBE(cpu_percent_state),                                          \
		"CPU use of the thread between two samples, in percent of one CPU",                \
		.label = "CPU%", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)                        \
	F(S, U64, cpu_ns, MAYBE(cpu_state), "CPU time of the thread since its start",              \
		.label = "CPU", .unit = SOOTH_UNIT_NS)                                             \
	F(S, TEXT, call, MAYBE(call_state), "system call that the thread is executing")            \
	F(S, TEXT, wait_channel, MAYBE(wait_channel_state),                                        \
		"kernel function that the thread waits in", .may_shrink = true)                    \
	F(S, TEXT, policy, ALWAYS, "scheduling policy of the thread, with its realtime priority")  \
	F(S, I32, nice, ALWAYS, "nice value of the thread, -20 to 19; lower: more CPU time")       \
	F(S, ENUM32, category, WITH(call_state),                                                   \
		"category of the system call that the thread is executing",                        \
		.names = &syscall_category_names, .is_hidden = true)                               \
	F(S, U32, realtime_priority, ALWAYS, "realtime priority of the thread, 1 to 99; 0: none",  \
		.is_hidden = true)                                                                 \
	F(S, U64, waited_ns, MAYBE(waited_state),                                                  \
		"time the thread was runnable and waited for a CPU", .unit = SOOTH_UNIT_NS,        \
		.is_hidden = true)                                                                 \
	F(S, U64, voluntary_switches, MAYBE(switches_state), "times the thread gave up the CPU",   \
		.is_hidden = true)                                                                 \
	F(S, U64, involuntary_switches, WITH(switches_state),                                      \
		"times the CPU was taken from the thread", .is_hidden = true)                      \
	F(S, NAMED, U32, processor, last_cpu, ALWAYS,                                              \
		"number of the CPU that the thread last ran on", .is_hidden = true)                \
	F(S, U64, stack_pointer, MAYBE(stack_pointer_state),                                       \
		"stack pointer of the waiting thread", .unit = SOOTH_UNIT_HEX, .is_hidden = true)  \
	F(S, U64, thread_start_ticks, ALWAYS, "start of the thread, in clock ticks after boot",    \
		.is_hidden = true)                                                                 \
	F(S, NAMED, BOOL, cpu_is_ticks, is_cpu_in_ticks, ALWAYS,                                   \
		"CPU time is only as exact as a clock tick (usually 10 ms)", .is_hidden = true)    \
	F(S, NAMED, BOOL, has_come, is_new, ALWAYS, "the thread was not in the previous sample",   \
		.is_hidden = true)

ROW_STRUCT(threads_row, THREADS_ROW, char state;);
static ROW_SCHEMA(row, THREADS_ROW, "threads", threads_row);

#define THREADS_SUMS_ROW(F, S)                                                                     \
	F(S, PID)                                                                                  \
	F(S, U32, threads, MAYBE(threads_state), "number of threads in the last sample")           \
	F(S, NAMED, U32, came, started, MAYBE(changes_state),                                      \
		"threads started since the previous sample")                                       \
	F(S, NAMED, U32, went, ended, WITH(changes_state),                                         \
		"threads ended since the previous sample")                                         \
	F(S, REAL, cpu_percent, MAYBE(cpu_state),                                                  \
		"CPU use of the threads in both samples, in percent of one CPU", .label = "CPU%",  \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, U64, interval_ns, WITH(changes_state),                                                \
		"time between the two samples of the measurement", .label = "INTERVAL",            \
		.unit = SOOTH_UNIT_NS)

ROW_TABLE(sums, THREADS_SUMS_ROW, "threads_totals", threads_sums_row);

#define THREADS_STATE_ROW(F, S)                                                                    \
	F(S, ALSO, CHARS, state, state, ALWAYS,                                                    \
		"thread state: R running, S sleeping, D uninterruptible, T stopped",               \
		.is_key = true)                                                                    \
	F(S, U64, threads, ALWAYS, "number of threads in this state")

ROW_STRUCT(threads_state_row, THREADS_STATE_ROW, char state;);
static ROW_SCHEMA(state, THREADS_STATE_ROW, "threads_by_state", threads_state_row);

struct threads_view {
	struct process_view view;
	struct thread_times times;
	uint64_t by_state[STATES];
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct threads_view *s = state;

	(void)options;
	(void)err;
	thread_times_init(&s->times);
	s->view.output = output;
	s->view.input = &s->times.now;
	return 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct threads_view *s = state;

	(void)err;
	batch_for_each (r, batch)
		thread_times_add_record(&s->times, r);
	return 0;
}

/* --- rows --- */

static void policy_text(char out[32], const struct threads_thread *t)
{
	const char *name =
		t->policy < THREADS_POLICIES ? threads_policy_names.names[t->policy] : NULL;

	if (!name)
		snprintf(out, 32, "policy %u", t->policy);
	else if (t->realtime_priority)
		snprintf(out, 32, "%s %u", name, t->realtime_priority);
	else
		snprintf(out, 32, "%s", name);
}

static struct threads_row row_of(const struct thread_time *time)
{
	const struct threads_thread *t = time->thread;
	const struct syscall_row *call = syscall_by_number(t->abi, t->syscall);

	return (struct threads_row){ .record = { .time_ns = t->record.time_ns,
					     .start_ticks = t->record.start_ticks,
					     .pid = t->record.pid,
					     .tid = t->record.tid },
		.cpu_percent = time->cpu_percent,
		.cpu_percent_state = time->cpu_state,
		.has_come = time->has_come,
		.cpu_ns = t->cpu_ns,
		.cpu_state = t->cpu_state,
		.cpu_is_ticks = t->cpu_is_ticks,
		.waited_ns = t->waited_ns,
		.waited_state = t->waited_state,
		.voluntary_switches = t->voluntary_switches,
		.involuntary_switches = t->involuntary_switches,
		.switches_state = t->switches_state,
		.stack_pointer = t->stack_pointer,
		.stack_pointer_state = t->stack_pointer_state,
		.thread_start_ticks = t->thread_start_ticks,
		.processor = t->processor,
		.realtime_priority = t->realtime_priority,
		.nice = t->nice,
		.state = t->state,
		.call_state = t->syscall_state,
		.category = call ? call->category : SYSCALL_CATEGORY_OTHER,
		.wait_channel_state = t->wait_channel_state };
}

static int emit_thread(struct threads_view *s, const struct thread_time *time, struct span process,
	struct sooth_error *err)
{
	const struct threads_thread *t = time->thread;
	struct threads_row row = row_of(time);
	char call[SYSCALL_NAME_SIZE] = "", policy[32];
	struct record_tail tail[4];
	size_t call_size = 0;

	if (t->syscall_state == SOOTH_STATE_VALUE)
		call_size = syscall_name(t->abi, t->syscall, call);
	policy_text(policy, t);
	row.role = thread_role_of(
		record_text(&t->record, &t->name), process, t->record.tid == t->record.pid);
	row.role_state = row.role ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	tail[0] = tail_text(&row.name, &t->record, &t->name);
	tail[1] = tail_span(&row.call, span_of(call, call_size));
	tail[2] = tail_text(&row.wait_channel, &t->record, &t->wait_channel);
	tail[3] = tail_string(&row.policy, policy);
	s->by_state[(unsigned char)t->state % STATES]++;
	return OUTPUT_ROW(s->view.output, &row, tail, 4, err);
}

/* Returns the name of the first thread, which new threads have until they get a name. */
static struct span process_name(const struct thread_time *times, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct threads_thread *t = times[i].thread;

		if (t->record.tid == t->record.pid)
			return record_text(&t->record, &t->name);
	}
	return span_of("", 0);
}

static int emit_threads(void *state, const struct snapshot *process, struct sooth_error *err)
{
	struct threads_view *s = state;
	const struct thread_time *times;
	struct buffer list = { 0 };
	struct span name;
	size_t count;
	int status = thread_times_list(&s->times, process, &list, NULL);

	times = (const void *)list.data;
	count = list.size / sizeof(*times);
	name = process_name(times, count);
	for (size_t i = 0; i < count && !status; i++)
		status = emit_thread(s, &times[i], name, err);
	buffer_fini(&list);
	return status;
}

static const struct section threads_section = SECTION_OF("threads", row_schema, TABLE,
	.title = "threads",
	.columns = "pid,tid,name,role,state,cpu_percent,cpu_ns,call,wait_channel,policy,nice",
	.if_empty = "no threads could be read");

static int emit_sums(void *state, const struct snapshot *process, struct sooth_error *err)
{
	struct threads_sums_row row = { .record = row_head(&process->id) };
	struct threads_view *s = state;
	struct buffer list = { 0 };
	struct thread_sums sums;
	int status = thread_times_list(&s->times, process, &list, &sums);

	row.interval_ns = sums.interval_ns;
	row.cpu_percent = sums.cpu_percent;
	row.threads = sums.threads;
	row.came = sums.came;
	row.went = sums.went;
	row.threads_state = sums.threads_state;
	row.changes_state = sums.changes_state;
	row.cpu_state = sums.cpu_state;
	if (!status)
		status = OUTPUT_ROW(s->view.output, &row, NULL, 0, err);
	buffer_fini(&list);
	return status;
}

static const struct section sums_section = SECTION_OF("threads_totals", sums_schema, TABLE,
	.columns = "pid,threads,started,ended,cpu_percent,interval_ns");

static const struct section states_section =
	SECTION_OF("threads_by_state", state_schema, KEYED, .rows_least = 2);

static int emit_states(struct threads_view *s, struct sooth_error *err)
{
	int status = process_view_section(&s->view, &states_section, err);

	for (unsigned i = 0; i < STATES && !status; i++) {
		struct threads_state_row row = { .state = (char)i, .threads = s->by_state[i] };

		if (row.threads)
			status = OUTPUT_ROW(s->view.output, &row, NULL, 0, err);
	}
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct threads_view *s = state;
	int status = process_view_emit(&s->view, &threads_section, emit_threads, err);

	if (!status)
		status = emit_states(s, err);
	if (!status)
		status = process_view_emit(&s->view, &sums_section, emit_sums, err);
	if (s->times.now.refused)
		output_limit(s->view.output, "some threads",
			"sooth's table is full; the rest is left out", "");
	return status;
}

static void fini(void *state)
{
	struct threads_view *s = state;

	thread_times_fini(&s->times);
}

const struct stage_type stage_threads = {
	.name = "threads",
	.help = "threads: CPU use, state, system call, wait",
	.probe = "threads",
	.shows = "threads",
	STAGE_FUNCTIONS(struct threads_view),
};

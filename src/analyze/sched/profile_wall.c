/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole time of threads as one table: where they ran, by samples, and where they waited, by the
 * stacks at which they stopped. CPU time is counted exactly for each thread; samples only show the
 * functions. The rest is waits too short to be recorded, so the rows of a thread add up to its
 * observed time. */
#include <string.h>

#include "analyze/profile/profile_sums.h"
#include "analyze/profile/profile_table.h"
#include "analyze/profile/wait_places.h"
#include "analyze/records.h"
#include "analyze/sched/sched_sums.h"
#include "base/cleanup.h"
#include "base/map_sorted.h"
#include "explain/stage.h"
#include "model/row_list.h"

#define PLACES_MAX  (1u << 18)
#define THREADS_MAX (1u << 16)
#define ROWS_SHOWN  25
#define NOT_SAMPLED "[not sampled]"
#define SHORT	    "[short waits]"

#define SUMMARY_ROW(F, S)                                                                          \
	F(S, NAMED, U64, threads, thread_count, ALWAYS, "threads that were observed",              \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, U64, wall_ns, ALWAYS, "sum of the times in which the threads were observed",          \
		.label = "WALL", .unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM)                  \
	F(S, REAL, running_percent, MAYBE(wall_state), "share of that time on a CPU",              \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, REAL, waiting_percent, WITH(wall_state), "share in waits that were recorded",         \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, REAL, short_percent, WITH(wall_state), "share in shorter waits",                      \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)

ROW_TABLE(summary, SUMMARY_ROW, "wall", wall_summary_row,
	.line = "{thread_count thread}, {wall_ns} together[: {running_percent} % running][, "
		"{waiting_percent} % waiting][, {short_percent} % in short waits]");

#define PLACE_ROW(F, S)                                                                            \
	F(S, REAL, percent, ALWAYS, "share of the time of all threads", .label = "SHARE",          \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, U64, wall_ns, ALWAYS, "time of all threads together", .label = "TIME",                \
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM)                                   \
	F(S, ENUM8, thread_state, ALWAYS,                                                          \
		"running: on a CPU; else what the threads waited for; preempted: they could have " \
		"run",                                                                             \
		.label = "STATE", .names = &wait_reason_names)                                     \
	F(S, TEXT, process, ALWAYS, "name of the process", .is_key = true)                         \
	F(S, TEXT, role, ALWAYS, "role of the threads, or their name", .is_key = true)             \
	F(S, TEXT, call, MAYBE(call_state), "system call they waited in", .is_key = true)          \
	WAIT_PLACE_FIELDS(F, S)                                                                    \
	F(S, U64, observations, ALWAYS, "number of its samples or waits", .label = "COUNT",        \
		.merge = SOOTH_MERGE_SUM)

ROW_TABLE(place, PLACE_ROW, "wall_by_function", wall_row);

static const struct sooth_schema *const tables[] = { &summary_schema, &place_schema, NULL };

static const struct section summary_section = SECTION_OF("wall", summary_schema, OBJECT);
static const struct section place_section =
	SECTION_OF("wall_by_function", place_schema, TABLE, .title = "running and waiting",
		.if_empty = "no thread was observed", .rows_most = ROWS_SHOWN);

struct thread_key {
	uint32_t pid, tid;
};

struct thread {
	uint64_t wall_ns, running_ns; /* total time; time on a CPU; 0: not counted */
	uint64_t waited_ns;	      /* total time of recorded waits */
	uint64_t sampled_ns;
	uint32_t process, role; /* numbers in sums.names */
};

/* A stack as recorded: stacks are resolved at the end. */
struct stack_key {
	struct thread_key thread;
	struct wait_key wait; /* key of the wait; for a sample: WAIT_RUNNING */
};

struct place_key {
	uint32_t process, role, function, file;
	uint32_t number, abi;
	uint32_t activity;
};

struct spent {
	uint64_t count;
	double ns;
};

struct place {
	struct place_key key;
	struct spent spent;
};

struct wall_state {
	struct profile_view view;
	struct sched_sums sched;
	struct map threads; /* struct thread_key -> struct thread */
	struct map stacks;  /* struct stack_key -> struct spent */
	struct map places;  /* struct place_key -> struct place */
	uint64_t old;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct wall_state *s = state;

	(void)err;
	profile_view_init(&s->view, output, options);
	sched_sums_init(&s->sched);
	map_init(&s->threads, sizeof(struct thread_key), sizeof(struct thread), THREADS_MAX);
	map_init(&s->stacks, sizeof(struct stack_key), sizeof(struct spent), PLACES_MAX);
	map_init(&s->places, sizeof(struct place_key), sizeof(struct place), PLACES_MAX);
	return 0;
}

/* --- input --- */

static void set_thread_name(struct wall_state *s, struct thread *t, const struct profile_sample *r)
{
	t->role = names_put(&s->view.sums.names, profile_role_of(r), NULL);
	t->process = names_put(&s->view.sums.names,
		span_of(r->process, strnlen(r->process, sizeof(r->process))), NULL);
}

static struct thread *thread_of(struct wall_state *s, const struct profile_sample *r)
{
	struct thread_key key = { r->record.pid, r->record.tid };
	struct thread *t = map_put(&s->threads, &key, NULL);

	if (t) /* the last names count: they may change after the start */
		set_thread_name(s, t, r);
	return t;
}

static void add_stack(struct wall_state *s, const struct stack_key *key, uint64_t ns)
{
	struct spent *spent = map_put(&s->stacks, key, NULL);

	if (!spent)
		return;
	spent->count++;
	spent->ns += (double)ns;
}

static void add_sample(struct wall_state *s, const struct profile_sample *r)
{
	struct stack_key key = { .thread = { r->record.pid, r->record.tid },
		.wait = { .stack = r->stack, .number = WAIT_NOT_ANY, .reason = WAIT_RUNNING } };
	struct thread *t = thread_of(s, r);

	if (!t)
		return;
	t->sampled_ns += r->period_ns;
	add_stack(s, &key, r->period_ns);
}

static void add_wait(struct wall_state *s, const struct profile_wait *w)
{
	struct profile_sample sample = profile_sample_of_wait(w);
	struct stack_key key = { { w->record.pid, w->record.tid }, wait_key_of(w) };
	struct thread *t = thread_of(s, &sample);

	if (!t)
		return;
	t->waited_ns += w->waited_ns;
	s->old += (w->flags & PROFILE_WAIT_OLD) != 0;
	add_stack(s, &key, w->waited_ns);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct wall_state *s = state;

	(void)err;
	profile_sums_add_batch(&s->view.sums, batch);
	sched_sums_add_batch(&s->sched, batch);
	batch_for_each (r, batch) {
		const struct profile_sample *sample = record_as(r, PROFILE_SAMPLE, sizeof(*sample));
		const struct profile_wait *wait = record_as(r, PROFILE_WAIT, sizeof(*wait));

		if (sample)
			add_sample(s, sample);
		else if (wait)
			add_wait(s, wait);
	}
	return 0;
}

/* --- what the time of each thread was --- */

/* Adds the exact times of each thread, even without a sample or long wait. */
static void add_exact_times(struct wall_state *s)
{
	const struct sched_times *times;
	size_t position = 0;

	while ((times = sched_sums_next(&s->sched, &position))) {
		struct profile_sample sample = { .record = times->record };
		struct thread_key key = { times->record.pid, times->record.tid };
		bool is_new = false;
		struct thread *t = map_put(&s->threads, &key, &is_new);

		if (!t)
			continue;
		memcpy(sample.process, times->process, sizeof(sample.process));
		memcpy(sample.thread, times->thread, sizeof(sample.thread));
		if (is_new)
			set_thread_name(s, t, &sample);
		t->wall_ns += sched_wall_ns(times);
		t->running_ns += times->running_ns;
	}
}

static bool is_selected(const struct wall_state *s, const struct thread *t)
{
	return profile_view_has(&s->view, names_get(&s->view.sums.names, t->role));
}

static void add_place(struct wall_state *s, const struct place_key *key, struct spent spent)
{
	struct place *place = map_put(&s->places, key, NULL);

	if (!place)
		return;
	place->key = *key;
	place->spent.count += spent.count;
	place->spent.ns += spent.ns;
}

static uint32_t name_of(struct wall_state *s, const char *text)
{
	return names_put(&s->view.sums.names, span_of_string(text), NULL);
}

static void find_place(struct wall_state *s, const struct stack_key *key, struct spent spent)
{
	const struct thread *t = map_get(&s->threads, &key->thread);
	struct wait_place found;
	struct place_key at = {
		.number = key->wait.number, .abi = key->wait.abi, .activity = key->wait.reason
	};

	if (!t || !is_selected(s, t))
		return;
	if (key->wait.reason == WAIT_RUNNING && t->running_ns && t->sampled_ns)
		spent.ns *= (double)t->running_ns / (double)t->sampled_ns;
	found = wait_place_of(&s->view.sums, key->wait.stack);
	at.process = t->process;
	at.role = t->role;
	at.function = found.function;
	at.file = found.file;
	add_place(s, &at, spent);
}

/* Adds the time that neither a sample nor a wait covers. */
static void find_rest(struct wall_state *s, const struct thread *t)
{
	uint64_t known_ns = t->running_ns + t->waited_ns;
	struct place_key at = { .process = t->process,
		.role = t->role,
		.file = name_of(s, ""),
		.number = WAIT_NOT_ANY,
		.activity = WAIT_RUNNING };

	if (t->running_ns && !t->sampled_ns) {
		at.function = name_of(s, NOT_SAMPLED);
		add_place(s, &at, (struct spent){ 0, (double)t->running_ns });
	}
	if (t->wall_ns > known_ns) {
		at.function = name_of(s, SHORT);
		at.activity = WAIT_SHORT;
		add_place(s, &at, (struct spent){ 0, (double)(t->wall_ns - known_ns) });
	}
}

static void sum_stacks_by_place(struct wall_state *s)
{
	map_for_each (&s->stacks, const struct stack_key *, key, const struct spent *, spent)
		find_place(s, key, *spent);
	map_for_each_value (&s->threads, const struct thread *, t) {
		if (is_selected(s, t))
			find_rest(s, t);
	}
}

/* --- rows --- */

static int compare_by_time(const void *left, const void *right)
{
	const struct place *a = left, *b = right;

	if (a->spent.ns < b->spent.ns || a->spent.ns > b->spent.ns)
		return a->spent.ns > b->spent.ns ? -1 : 1;
	return memcmp(&a->key, &b->key, sizeof(a->key));
}

/* Rounds a time, which a capture may have made too large. */
static uint64_t whole_ns(double ns)
{
	return ns < (double)(UINT64_MAX / 2) ? (uint64_t)ns : UINT64_MAX / 2;
}

static int emit_place(
	struct wall_state *s, const struct place *p, double all_ns, struct sooth_error *err)
{
	struct wall_row row = { .percent = all_ns > 0 ? 100 * p->spent.ns / all_ns : 0,
		.wall_ns = whole_ns(p->spent.ns),
		.observations = p->spent.count,
		.thread_state = (uint8_t)p->key.activity };
	char call[SYSCALL_NAME_SIZE];

	row.call_state = wait_call_text(p->key.abi, p->key.number, call);
	struct record_tail tail[] = {
		tail_span(&row.process, names_get(&s->view.sums.names, p->key.process)),
		tail_span(&row.role, names_get(&s->view.sums.names, p->key.role)),
		tail_string(&row.call, call),
		tail_span(&row.function, names_get(&s->view.sums.names, p->key.function)),
		tail_span(&row.file, names_get(&s->view.sums.names, p->key.file)),
	};

	if (row.percent < 100 * s->view.options.least_share)
		return 0;
	return OUTPUT_ROW(s->view.output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_places(struct wall_state *s, double all_ns, struct sooth_error *err)
{
	_cleanup_free_ struct place *sorted = map_sorted(&s->places, compare_by_time);
	int status = output_section(s->view.output, &place_section, err);

	if (!sorted)
		return error_no_memory(err);
	for (size_t i = 0; i < s->places.count && !status; i++)
		status = emit_place(s, &sorted[i], all_ns, err);
	return status;
}

static int emit_summary(struct wall_state *s, double *all_ns, struct sooth_error *err)
{
	double of[WAIT_REASONS] = { 0 };
	struct wall_summary_row row = { 0 };

	map_for_each_value (&s->places, const struct place *, p) {
		of[p->key.activity] += p->spent.ns;
		*all_ns += p->spent.ns;
	}
	map_for_each_value (&s->threads, const struct thread *, t)
		row.threads += is_selected(s, t);
	row.wall_ns = whole_ns(*all_ns);
	row.wall_state = state_if(*all_ns > 0);
	if (*all_ns > 0) {
		row.running_percent = 100 * of[WAIT_RUNNING] / *all_ns;
		row.short_percent = 100 * of[WAIT_SHORT] / *all_ns;
		row.waiting_percent = 100 - row.running_percent - row.short_percent;
	}
	return OUTPUT_OBJECT(s->view.output, &summary_section, &row, NULL, 0, err);
}

static int finish(void *state, struct sooth_error *err)
{
	struct wall_state *s = state;
	double all_ns = 0;
	int status;

	add_exact_times(s);
	sum_stacks_by_place(s);
	wait_report_old_waits(s->view.output, s->old);
	if (!s->sched.threads.count && s->threads.count)
		output_limit(s->view.output, "time on a CPU, exactly, and short waits",
			"CPU time was not counted: it is estimated from samples",
			"sooth profile --wall --save FILE.sooth records CPU time");
	status = emit_summary(s, &all_ns, err);
	return status ? status : emit_places(s, all_ns, err);
}

static void fini(void *state)
{
	struct wall_state *s = state;

	profile_sums_fini(&s->view.sums);
	sched_sums_fini(&s->sched);
	map_fini(&s->threads);
	map_fini(&s->stacks);
	map_fini(&s->places);
}

const struct stage_type stage_profile_wall = {
	.name = "profile-wall",
	.help = "all the time of threads: running and waiting, by function",
	.probe = "profile",
	.of_kind = PROFILE_SAMPLE,
	.shows = "profile",
	.tables = tables,
	STAGE_FUNCTIONS(struct wall_state),
};

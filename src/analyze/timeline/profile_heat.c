/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU of each thread over time, by samples of a profile: one strip per thread, in which a stall is
 * a gap, and repeated stalls are a pattern. The number of threads is limited. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/profile/profile_sums.h"
#include "analyze/profile/profile_table.h"
#include "analyze/records.h"
#include "analyze/timeline/timeline_rows.h"
#include "analyze/timeline/track.h"
#include "base/cleanup.h"
#include "base/map_sorted.h"
#include "base/units.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "model/stream_records.h"

#define THREADS_MAX	   512
#define THREADS_FOR_PEOPLE 40

#define HEAT_ROW(F, S)                                                                             \
	F(S, PID)                                                                                  \
	F(S, TEXT, process, ALWAYS, "name of the process (comm)", .may_shrink = true)              \
	F(S, RECORD, U32, tid, tid, ALWAYS, "thread id in the pid namespace of sooth")             \
	F(S, TEXT, thread, ALWAYS, "name of the thread", .may_shrink = true)                       \
	F(S, NAMED, SERIES, values, values_percent, ALWAYS, "percent of one CPU in each bucket",   \
		.label = "OVER TIME", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)                   \
	F(S, REAL, mean_percent, ALWAYS, "mean over the recording", .label = "MEAN",               \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, REAL, max_percent, ALWAYS, "highest value of the thread", .label = "MAX",             \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, U64, longest_idle_ns, ALWAYS,                                                         \
		"longest time between two samples of the thread in which it used no CPU",          \
		.label = "LONGEST IDLE", .unit = SOOTH_UNIT_NS)

ROW_TABLE(heat, HEAT_ROW, "heat", heat_row);
static const struct sooth_schema *const tables[] = { &heat_schema, NULL };

struct heat_key {
	struct process_id id;
	uint32_t tid, zero;
};

struct heat_thread {
	struct heat_key key;
	struct track track;
	uint64_t last_ns, longest_idle_ns;
	char process[PROFILE_NAME_BYTES], thread[PROFILE_NAME_BYTES];
};

struct heat_state {
	struct output *output;
	struct profile_options options;
	struct track_axis axis;
	struct map threads; /* struct heat_key -> struct heat_thread * */
	int64_t realtime_offset_ns;
	uint64_t begin_ns, refused;
	bool has_begun, has_segment;
	double values[TRACK_BUCKETS];
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct heat_state *s = state;

	(void)err;
	s->output = output;
	if (options)
		s->options = *(const struct profile_options *)options;
	map_init(&s->threads, sizeof(struct heat_key), sizeof(struct heat_thread *), THREADS_MAX);
	return 0;
}

/* Returns the thread; NULL: no room. */
static struct heat_thread *thread_of(struct heat_state *s, const struct profile_sample *r)
{
	const struct heat_key key = { .id = process_id_of(&r->record), .tid = r->record.tid };
	struct heat_thread **at = map_get(&s->threads, &key), *thread;

	if (at)
		return *at;
	at = map_put(&s->threads, &key, NULL);
	thread = at ? calloc(1, sizeof(*thread)) : NULL;
	if (!thread) {
		s->refused++;
		if (at)
			map_remove(&s->threads, &key);
		return NULL;
	}
	thread->key = key;
	thread->track.kind = TRACK_COUNT;
	return *at = thread;
}

/* Adds a sample, which stands for the time since the previous one. */
static void add_sample(struct heat_state *s, const struct profile_sample *r)
{
	uint64_t at_ns = r->record.time_ns, from_ns = at_ns - r->period_ns;
	struct heat_thread *thread;

	if (s->options.role && !span_equal(profile_role_of(r), s->options.role))
		return;
	thread = thread_of(s, r);
	if (!thread || at_ns <= r->period_ns)
		return;
	/* Threads are named after they begin. */
	memcpy(thread->process, r->process, sizeof(thread->process));
	memcpy(thread->thread, r->thread, sizeof(thread->thread));
	if (thread->last_ns && from_ns > thread->last_ns + thread->longest_idle_ns)
		thread->longest_idle_ns = from_ns - thread->last_ns;
	thread->last_ns = at_ns;
	track_rate(&thread->track, &s->axis, from_ns, at_ns, (double)r->period_ns / 1e7);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct heat_state *s = state;

	(void)err;
	batch_for_each (r, batch) {
		const struct stream_segment *segment =
			record_as(r, STREAM_SEGMENT, sizeof(*segment));
		const struct profile_sample *sample = record_as(r, PROFILE_SAMPLE, sizeof(*sample));

		if (segment) {
			s->realtime_offset_ns = segment->realtime_offset_ns;
			s->has_segment = true;
		}
		if (!s->has_begun && (sample || r->kind == STREAM_BEGIN)) {
			track_axis_begin(&s->axis, r->time_ns);
			s->has_begun = true;
		}
		if (s->has_begun && (sample || r->kind == STREAM_END))
			track_axis_reach(&s->axis, r->time_ns);
		if (sample)
			add_sample(s, sample);
	}
	return 0;
}

/* --- rows --- */

static int emit_axis(struct heat_state *s, struct sooth_error *err)
{
	static const struct section section = SECTION_OF(
		"timeline", timeline_axis_schema, OBJECT, .if_empty = "nothing was observed");
	struct timeline_axis_row row = { .begin_ns = s->axis.begin_ns,
		.begin_utc_ns = s->axis.begin_ns + (uint64_t)s->realtime_offset_ns,
		.interval_ns = s->axis.end_ns - s->axis.begin_ns,
		.stretch_ns = s->axis.stretch_ns,
		.stretches = track_axis_count(&s->axis),
		.utc_state = s->has_segment ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	int status = output_section(s->output, &section, err);

	return status || !s->has_begun ? status : OUTPUT_ROW(s->output, &row, NULL, 0, err);
}

static struct span span_of_name(const char *text)
{
	return span_of(text, strnlen(text, PROFILE_NAME_BYTES));
}

static int emit_thread(struct heat_state *s, struct heat_thread *thread, struct sooth_error *err)
{
	struct track_values f;
	struct heat_row row = { .record = { .start_ticks = thread->key.id.start_ticks,
					.pid = thread->key.id.pid,
					.tid = thread->key.tid },
		.longest_idle_ns = thread->longest_idle_ns };
	struct record_tail tail[] = {
		tail_span(&row.process, span_of_name(thread->process)),
		tail_span(&row.thread, span_of_name(thread->thread)),
		{ &row.values, s->values, track_axis_count(&s->axis) * sizeof(double) },
	};

	track_cover(&thread->track, &s->axis, s->axis.begin_ns, s->axis.end_ns);
	f = track_values(&thread->track, NULL, &s->axis, s->values);
	row.mean_percent = f.has_any ? f.mean : 0;
	row.max_percent = f.most;
	return OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int busiest_first(const void *a, const void *b)
{
	const struct heat_thread *x = *(struct heat_thread *const *)a;
	const struct heat_thread *y = *(struct heat_thread *const *)b;

	if (x->track.total != y->track.total)
		return x->track.total < y->track.total ? 1 : -1;
	return (x->key.tid > y->key.tid) - (x->key.tid < y->key.tid);
}

static int emit_threads(struct heat_state *s, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("heat", heat_schema, TABLE,
		.title = "CPU by thread (percent of one core)", .rows_most = THREADS_FOR_PEOPLE,
		.spare = "mean_percent,max_percent",
		.if_empty = "no samples: the target used little or no CPU time", .is_heat = true);
	_cleanup_free_ struct heat_thread **order = map_sorted(&s->threads, busiest_first);
	int status;

	if (!order)
		return error_no_memory(err);
	status = output_section(s->output, &section, err);
	for (size_t i = 0; i < s->threads.count && !status; i++)
		status = emit_thread(s, order[i], err);
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct heat_state *s = state;
	char reason[96];
	int status = emit_axis(s, err);

	if (!status)
		status = emit_threads(s, err);
	if (s->refused) {
		snprintf(reason, sizeof(reason),
			"%llu samples are of more threads than sooth keeps",
			(unsigned long long)s->refused);
		output_limit(s->output, "some threads", reason, "select fewer processes with -p");
	}
	return status;
}

static void fini(void *state)
{
	struct heat_state *s = state;

	map_for_each_pointer (&s->threads, struct heat_thread *, t)
		free(t);
	map_fini(&s->threads);
}

const struct stage_type stage_profile_heat = {
	.name = "profile-heat",
	.help = "CPU of each thread over time",
	.shows = "profile",
	.tables = tables,
	STAGE_FUNCTIONS(struct heat_state),
};

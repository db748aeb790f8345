/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values over time: CPU by process and by what threads are for, memory by what it is for, bytes,
 * calls; when processes came and went, and what happened. Everything is in lanes of the same
 * stretches of time, and a stretch in which nothing was measured is a gap.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyze/diagnosis/exit_reason_text.h"
#include "analyze/timeline/timeline_tracker.h"
#include "analyze/timeline/timeline_findings.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "core/stage.h"

#define TRACKS_FOR_PEOPLE 24
#define EVENTS_FOR_PEOPLE 24

struct timeline_state {
	struct output *output;
	struct timeline_tracker book;
	struct timeline_findings findings;
	double values[TRACK_BUCKETS + 1];
	struct timeline_process **order; /* all together first, then who used most */
	size_t count;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct timeline_state *s = state;

	(void)err;
	s->output = output;
	timeline_tracker_init(&s->book);
	s->findings.book = &s->book;
	if (options)
		s->findings.options = *(const struct findings_options *)options;
	return 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct timeline_state *s = state;

	batch_for_each (r, batch)
		timeline_tracker_take(&s->book, r);
	return timeline_findings_push(&s->findings, batch, err);
}

/* --- axis --- */

static uint64_t since_begin(const struct timeline_tracker *b, uint64_t at_ns)
{
	return at_ns > b->axis.begin_ns ? at_ns - b->axis.begin_ns : 0;
}

static int emit_axis(struct timeline_state *s, struct sooth_error *err)
{
	static const struct section section = {
		.name = "timeline",
		.schema = &timeline_axis_schema,
		.shape = SECTION_OBJECT,
		.if_empty = "nothing was observed",
	};
	const struct timeline_tracker *b = &s->book;
	struct timeline_axis_row row = { .begin_ns = b->axis.begin_ns,
		.begin_utc_ns = b->axis.begin_ns + (uint64_t)b->segment.realtime_offset_ns,
		.interval_ns = b->axis.end_ns - b->axis.begin_ns,
		.stretch_ns = b->axis.stretch_ns,
		.stretches = track_axis_count(&b->axis),
		.utc_state = b->segment.record.time_ns ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	int status = output_section(s->output, &section, err);

	return status || !b->has_begun ? status : OUTPUT_ROW(s->output, &row, NULL, 0, err);
}

/* --- lanes --- */

static const char *track_name(enum timeline_group group, uint32_t what)
{
	switch (group) {
	case TIMELINE_CPU:
		return what ? thread_role_names.names[what - 1] : "all threads";
	case TIMELINE_MEMORY:
		return what ? map_class_names.names[what - 1] : "resident";
	case TIMELINE_IO:
		return what == TIMELINE_READ ? "read" : "written";
	case TIMELINE_CALLS:
		return what == TIMELINE_FAILED ? "failed" : syscall_category_name(what);
	default:
		return "records";
	}
}

static void set_value(const struct sooth_schema *schema, union timeline_value *to, double value)
{
	if (sooth_schema_field(schema, "lane")[2].type == SOOTH_FIELD_UNSIGNED)
		to->whole = rounded_u64(value);
	else
		to->real = value;
}

static void fill_values(
	struct timeline_track_row *row, const struct sooth_schema *schema, struct track_values f)
{
	set_value(schema, &row->least, f.least);
	set_value(schema, &row->most, f.most);
	set_value(schema, &row->last, f.last);
	if (isnan(f.mean))
		row->mean_state = SOOTH_STATE_ABSENT;
	else
		set_value(schema, &row->mean, f.mean);
}

static int emit_track(struct timeline_state *s, const struct timeline_process *p,
	enum timeline_group group, uint32_t what, struct lane *lane, struct sooth_error *err)
{
	const struct track_axis *axis = &s->book.axis;
	struct lane *sum = timeline_sum(&s->book, group, what);
	struct track_values f = track_values(lane, sum == lane ? NULL : sum, axis, s->values);
	struct timeline_track_row row = { .record = row_head(&p->id),
		.longest_ns = lane->longest_ns,
		.pid_state = p->id.pid ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.longest_state = lane->longest_ns ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = {
		tail_span(&row.process,
			p->id.pid ? span_of(p->name, strnlen(p->name, sizeof(p->name)))
				  : span_of("all together", 12)),
		tail_string(&row.lane, track_name(group, what)),
		{ &row.values, s->values, track_axis_count(axis) * sizeof(double) },
	};

	if (!f.has_any)
		return 0;
	fill_values(&row, &timeline_track_schemas[group], f);
	return OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
}

/* What a process has in a group, its parts with the most first, behind the whole. */
struct placed {
	struct lane *lane;
	uint32_t what;
	double weight;
};

static int heaviest_first(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return (x->what > y->what) - (x->what < y->what);
}

#define PLACES (MAP_CLASSES + 1 + THREAD_ROLES)

static double weight_of(const struct lane *lane, const struct track_axis *axis,
	enum timeline_group group, uint32_t what)
{
	double most = 0;

	if (what == TIMELINE_WHOLE && (group == TIMELINE_CPU || group == TIMELINE_MEMORY))
		return INFINITY;
	if (group == TIMELINE_IO)
		return -(double)what;
	if (group == TIMELINE_CALLS && what == TIMELINE_FAILED)
		return -1;
	for (size_t i = 0; i < track_axis_count(axis) && lane->kind == TRACK_LEVEL; i++)
		most = lane->stretches[i].amount > most ? lane->stretches[i].amount : most;
	return lane->kind == TRACK_LEVEL ? most : lane->total;
}

static int emit_process_tracks(struct timeline_state *s, const struct timeline_process *p,
	enum timeline_group wanted, struct sooth_error *err)
{
	struct placed places[PLACES];
	enum timeline_group group;
	size_t position = 0, count = 0;
	struct lane *lane;
	uint32_t what;
	int status = 0;

	while (count < PLACES && (lane = timeline_track_next(p, &position, &group, &what))) {
		if (group == wanted)
			places[count++] = (struct placed){ lane, what,
				weight_of(lane, &s->book.axis, group, what) };
	}
	qsort(places, count, sizeof(*places), heaviest_first);
	for (size_t i = 0; i < count && !status; i++)
		status = emit_track(s, p, wanted, places[i].what, places[i].lane, err);
	return status;
}

static const struct section track_sections[TIMELINE_GROUPS] = {
	[TIMELINE_CPU] = { .name = "cpu",
		.title = "CPU, percent of one processor",
		.schema = &timeline_track_schemas[TIMELINE_CPU],
		.shape = SECTION_TABLE,
		.rows_most = TRACKS_FOR_PEOPLE,
		.spare = "mean_percent,min_percent" },
	[TIMELINE_MEMORY] = { .name = "memory",
		.title = "memory, resident",
		.schema = &timeline_track_schemas[TIMELINE_MEMORY],
		.shape = SECTION_TABLE,
		.columns = "pid,process,lane,values_bytes,min_bytes,max_bytes,last_bytes",
		.rows_most = TRACKS_FOR_PEOPLE,
		.spare = "min_bytes" },
	[TIMELINE_IO] = { .name = "io",
		.title = "read and written, a second",
		.schema = &timeline_track_schemas[TIMELINE_IO],
		.shape = SECTION_TABLE,
		.rows_most = TRACKS_FOR_PEOPLE,
		.spare = "mean_bytes_per_s,min_bytes_per_s" },
	[TIMELINE_CALLS] = { .name = "calls",
		.title = "system calls, a second",
		.schema = &timeline_track_schemas[TIMELINE_CALLS],
		.shape = SECTION_TABLE,
		.rows_most = TRACKS_FOR_PEOPLE,
		.spare = "mean_per_s,min_per_s" },
	[TIMELINE_LOST] = { .name = "lost_records",
		.title = "records that were lost, a second",
		.schema = &timeline_track_schemas[TIMELINE_LOST],
		.shape = SECTION_TABLE,
		.columns = "lane,values_per_s,max_per_s" },
};

static int emit_group(struct timeline_state *s, enum timeline_group group, struct sooth_error *err)
{
	/* Of one process all together is that one; what was lost is nobody's. */
	size_t first = s->count == 2 && group != TIMELINE_LOST ? 1 : 0;
	int status = output_section(s->output, &track_sections[group], err);

	for (size_t i = first; i < s->count && !status; i++)
		status = emit_process_tracks(s, s->order[i], group, err);
	return status;
}

/* --- lives and events --- */

static int emit_lives(struct timeline_state *s, struct sooth_error *err)
{
	static const struct section section = { .name = "lives",
		.title = "processes",
		.schema = &timeline_life_schema,
		.shape = SECTION_TABLE,
		.rows_most = TRACKS_FOR_PEOPLE };
	int status = output_section(s->output, &section, err);

	for (size_t i = 1; i < s->count && !status; i++) {
		const struct timeline_process *p = s->order[i];
		struct buffer words = { 0 };
		struct timeline_life_row row = { .record = row_head(&p->id),
			.from_ns = since_begin(&s->book, p->started_ns),
			.to_ns = since_begin(&s->book, p->end_ns),
			.from_state = p->started_ns ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
			.to_state = p->end_ns ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };

		if (p->has_status)
			exit_reason_text_status(&words, p->status);
		struct record_tail tail[] = {
			tail_span(
				&row.process, span_of(p->name, strnlen(p->name, sizeof(p->name)))),
			tail_buffer(&row.end, &words),
		};
		status = OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
		buffer_fini(&words);
	}
	return status;
}

static int emit_events(struct timeline_state *s, struct sooth_error *err)
{
	static const struct section section = { .name = "events",
		.title = "events",
		.schema = &timeline_event_schema,
		.shape = SECTION_TABLE,
		.rows_most = EVENTS_FOR_PEOPLE };
	const struct timeline_event_kept *all = (const void *)s->book.events.data;
	size_t count = s->book.events.size / sizeof(*all);
	int status = output_section(s->output, &section, err);

	for (size_t i = 0; i < count && !status; i++) {
		const struct timeline_event_kept *e = &all[i];
		struct timeline_event_row row = { .record = row_head(&e->id),
			.at_ns = since_begin(&s->book, e->at_ns),
			.what = e->what,
			.pid_state = e->id.pid ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
		struct record_tail tail[] = {
			tail_span(
				&row.process, span_of(e->name, strnlen(e->name, sizeof(e->name)))),
			{ &row.detail, s->book.texts.data + e->detail.offset, e->detail.size },
		};

		status = OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
	}
	return status;
}

/* --- all --- */

static int busiest_first(const void *a, const void *b)
{
	const struct timeline_process *x = *(struct timeline_process *const *)a;
	const struct timeline_process *y = *(struct timeline_process *const *)b;

	if (x->cpu_total_ns != y->cpu_total_ns)
		return x->cpu_total_ns < y->cpu_total_ns ? 1 : -1;
	return (x->first_ns > y->first_ns) - (x->first_ns < y->first_ns);
}

static int put_in_order(struct timeline_state *s)
{
	size_t position = 0;
	void *value;

	s->order = calloc(s->book.processes.count + 1, sizeof(struct timeline_process *));
	if (!s->order)
		return -1;
	s->order[s->count++] = &s->book.all;
	while (map_next(&s->book.processes, &position, NULL, &value))
		s->order[s->count++] = *(struct timeline_process **)value;
	qsort(s->order + 1, s->count - 1, sizeof(struct timeline_process *), busiest_first);
	return 0;
}

static void note_limits(struct timeline_state *s)
{
	const struct timeline_tracker *b = &s->book;

	if (b->has_aggregates)
		output_limit(s->output, "when calls were made",
			"they were only counted, so they are spread over the time that was counted",
			"follow each: sooth timeline --calls, sooth record --stream");
	if (b->given_up)
		output_limit(s->output, "lanes of every process that ended",
			"there were more than are kept; what they did is in the lanes of all", "");
	if (b->refused_processes)
		output_limit(s->output, "every process", "there were more than are kept",
			"name those that matter with -p");
	if (b->refused_tracks)
		output_limit(s->output, "every lane", "there were more than are kept",
			"name those that matter with -p");
	if (b->refused_events || b->events.failed || b->texts.failed)
		output_limit(s->output, "every event", "there were more than are kept", "");
}

static int finish(void *state, struct sooth_error *err)
{
	struct timeline_state *s = state;
	int status = timeline_findings_finish(&s->findings, err);

	timeline_tracker_resolve(&s->book);
	if (put_in_order(s))
		return error_no_memory(err);
	if (!status)
		status = emit_axis(s, err);
	for (unsigned i = 0; i < TIMELINE_GROUPS && !status; i++)
		status = emit_group(s, (enum timeline_group)i, err);
	if (!status)
		status = emit_lives(s, err);
	if (!status)
		status = emit_events(s, err);
	note_limits(s);
	return status;
}

static void fini(void *state)
{
	struct timeline_state *s = state;

	timeline_findings_fini(&s->findings);
	timeline_tracker_fini(&s->book);
	free(s->order);
}

static const struct sooth_schema *const tables[] = { &timeline_life_schema, &timeline_event_schema,
	&timeline_track_schemas[TIMELINE_CPU], &timeline_track_schemas[TIMELINE_MEMORY],
	&timeline_track_schemas[TIMELINE_IO], &timeline_track_schemas[TIMELINE_CALLS],
	&timeline_track_schemas[TIMELINE_LOST], NULL };

const struct stage_type stage_timeline = {
	.name = "timeline",
	.help = "values over time, in lanes",
	.shows = "proc",
	.tables = tables,
	.state_size = sizeof(struct timeline_state),
	.init = init,
	.push = push,
	.finish = finish,
	.fini = fini,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Values over time: CPU by process and thread role, memory by class, bytes, calls, starts and ends
 * of processes, events. All tracks have buckets of equal length; a bucket without a measurement is
 * a gap. */
#include "analyze/timeline/timeline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/diagnosis/endings.h"
#include "analyze/diagnosis/finding_rows.h"
#include "analyze/heap/heap_overhead.h"
#include "analyze/records.h"
#include "analyze/timeline/allocator_use.h"
#include "analyze/timeline/timeline_api.h"
#include "analyze/timeline/timeline_tracker.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "explain/output.h"
#include "explain/registry.h"
#include "explain/stage.h"
#include "model/schema.h"
#include "probes/resident.h"

#define TRACKS_FOR_PEOPLE 24
#define SELECTED_MAX	  4096
#define EVENTS_FOR_PEOPLE 24

/* --- findings as events --- */

/* Diagnoses a recording of `sooth diagnose --save`: rows of the view finding-changes become
 * events. */

struct timeline_findings {
	struct timeline_tracker *tracker;
	struct findings_options options; /* thresholds and checks of the diagnosis */
	const struct stage_type *view;
	struct output *output; /* NULL: no diagnosis */
	void *state;
};

/* Only a diagnosis requests this probe. */
static const char diagnosed_by[] = "limits";

/* --- emit --- */

struct finding_events {
	struct timeline_tracker *tracker;
};

static int open_reported(void *state, const struct sink_options *options, struct sooth_error *err)
{
	(void)err;
	((struct finding_events *)state)->tracker = options->user;
	return 0;
}

/* Limits a time to the recording: a finding at the end may have a later time. */
static uint64_t clamp_time(const struct timeline_tracker *b, uint64_t at_ns)
{
	uint64_t end_ns = b->observed_count ? b->observed[b->observed_count - 1].to_ns : 0;

	return end_ns && at_ns > end_ns ? end_ns : at_ns;
}

static void add_change(struct timeline_tracker *b, const struct finding_change_row *row)
{
	const struct sooth_record *r = &row->record;
	struct span id = record_text(r, &row->id), claim = record_text(r, &row->claim);
	uint64_t at_ns = row->utc_ns - (uint64_t)b->segment.realtime_offset_ns;
	struct buffer words = { 0 };

	buffer_string(&words, row->state == FINDING_CLEARED ? "cleared: " : "");
	buffer_append(&words, id.data, id.size);
	buffer_string(&words, ": ");
	buffer_append(&words, claim.data, claim.size);
	timeline_event(b, r, clamp_time(b, at_ns), TIMELINE_EVENT_FINDING,
		record_text(r, &row->name), span_of((const char *)words.data, words.size));
	buffer_fini(&words);
}

static int add_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct finding_events *events = state;

	(void)err;
	if (section->schema != &finding_change_schema)
		return 0;
	batch_for_each (r, batch)
		add_change(events->tracker, (const void *)r);
	return 0;
}

static const struct sink_type reported_sink = {
	.name = "timeline-findings",
	.help = "findings as events of a timeline",
	.state_size = sizeof(struct finding_events),
	.open = open_reported,
	.rows = add_rows,
};

/* --- diagnosis --- */

static bool is_diagnosed(const struct sooth_record *r)
{
	const struct stream_source *s = record_as(r, STREAM_SOURCE, sizeof(*s));

	return s && span_equal(record_text(r, &s->probe), diagnosed_by);
}

static int begin_findings(struct timeline_findings *f, struct sooth_error *err)
{
	int status = output_new(&f->output, err);

	f->view = registry_stage("finding-changes");
	if (!status)
		status = output_add_sink(f->output, &reported_sink,
			&(struct sink_options){ .user = f->tracker }, err);
	if (status)
		return status;
	f->state = calloc(1, f->view->state_size);
	return f->state ? f->view->init(f->state, f->output, &f->options, err)
			: error_no_memory(err);
}

/* Passes on a batch that the tracker has already taken. */
static int timeline_findings_push(
	struct timeline_findings *f, const struct batch *batch, struct sooth_error *err)
{
	int status = 0;

	/* Definitions of sources come before their records. */
	batch_for_each (r, batch) {
		if (!f->output && is_diagnosed(r))
			status = begin_findings(f, err);
	}
	return status || !f->state ? status : f->view->push(f->state, batch, err);
}

static int timeline_findings_finish(struct timeline_findings *f, struct sooth_error *err)
{
	int status = f->state ? f->view->finish(f->state, err) : 0;

	return status || !f->output ? status : output_close_section(f->output, err);
}

static void timeline_findings_fini(struct timeline_findings *f)
{
	if (f->state)
		f->view->fini(f->state);
	free(f->state);
	output_free(f->output);
}

/* --- the view --- */

struct timeline_state {
	struct output *output;
	struct timeline_tracker tracker;
	struct timeline_api api;
	struct timeline_findings findings;
	struct section sections[TIMELINE_GROUPS];
	struct heap_overheads overheads;
	double values[TRACK_BUCKETS + 1];
	bool is_launched, is_of_target, says_missing;
	struct map selected;		 /* uint32_t -> nothing: PIDs; empty: all */
	struct timeline_process **order; /* the total first, then by CPU, highest first */
	size_t count;
};

static const struct section track_sections[TIMELINE_GROUPS] = {
	[TIMELINE_CPU] = { .name = "cpu",
		.title = "CPU (percent of one core)",
		.schema = &timeline_track_schemas[TIMELINE_CPU],
		.shape = SECTION_TABLE,
		.rows_most = TRACKS_FOR_PEOPLE,
		.spare = "mean_percent,min_percent" },
	[TIMELINE_MEMORY] = { .name = "memory",
		.title = "resident memory",
		.schema = &timeline_track_schemas[TIMELINE_MEMORY],
		.shape = SECTION_TABLE,
		.columns = "pid,process,track,values_bytes,min_bytes,max_bytes,last_bytes",
		.parts = "track",
		.rows_most = TRACKS_FOR_PEOPLE,
		.spare = "min_bytes" },
	[TIMELINE_IO] = { .name = "io",
		.title = "bytes per second, without send and recv",
		.schema = &timeline_track_schemas[TIMELINE_IO],
		.shape = SECTION_TABLE,
		.rows_most = TRACKS_FOR_PEOPLE,
		.spare = "mean_bytes_per_s,min_bytes_per_s" },
	[TIMELINE_CALLS] = { .name = "calls",
		.title = "system calls per second",
		.schema = &timeline_track_schemas[TIMELINE_CALLS],
		.shape = SECTION_TABLE,
		.rows_most = TRACKS_FOR_PEOPLE,
		.spare = "mean_per_s,min_per_s" },
	[TIMELINE_LOST] = { .name = "lost_records",
		.title = "lost records per second",
		.schema = &timeline_track_schemas[TIMELINE_LOST],
		.shape = SECTION_TABLE,
		.columns = "track,values_per_s,max_per_s" },
	[TIMELINE_HEAP] = { .name = "heap",
		.title = "allocated and not freed",
		.schema = &timeline_track_schemas[TIMELINE_HEAP],
		.shape = SECTION_TABLE,
		.columns = "pid,process,track,values_bytes,min_bytes,max_bytes,last_bytes",
		.rows_most = TRACKS_FOR_PEOPLE,
		.spare = "min_bytes" },
	[TIMELINE_HEAP_RATE] = { .name = "heap_rates",
		.title = "allocated and freed, bytes per second",
		.schema = &timeline_track_schemas[TIMELINE_HEAP_RATE],
		.shape = SECTION_TABLE,
		.rows_most = TRACKS_FOR_PEOPLE,
		.spare = "mean_bytes_per_s,min_bytes_per_s" },
	[TIMELINE_RESIDENT] = { .name = "resident_kinds",
		.title = "resident memory by kind, at each change",
		.schema = &timeline_track_schemas[TIMELINE_RESIDENT],
		.shape = SECTION_TABLE,
		.columns = "pid,process,track,values_bytes,min_bytes,max_bytes,last_bytes",
		.rows_most = TRACKS_FOR_PEOPLE,
		.spare = "min_bytes" },
	[TIMELINE_FDS] = { .name = "descriptors",
		.title = "open descriptors",
		.schema = &timeline_track_schemas[TIMELINE_FDS],
		.shape = SECTION_TABLE,
		.columns = "pid,process,values_count,min_count,max_count,last_count",
		.rows_most = TRACKS_FOR_PEOPLE,
		.spare = "min_count" },
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	const struct timeline_options *given = options;
	struct timeline_state *s = state;

	(void)err;
	s->output = output;
	timeline_tracker_init(&s->tracker);
	timeline_api_init(&s->api);
	map_init(&s->selected, sizeof(uint32_t), 0, SELECTED_MAX);
	s->findings.tracker = &s->tracker;
	for (size_t i = 0; i < TIMELINE_GROUPS; i++)
		s->sections[i] = track_sections[i];
	if (!given)
		return 0;
	s->findings.options = given->findings;
	s->is_of_target = given->is_of_target;
	s->says_missing = given->says_missing;
	for (size_t i = 0; i < TIMELINE_GROUPS; i++)
		s->sections[i].has_own_scales = given->has_own_scales;
	return 0;
}

static void select_target(struct timeline_state *s, const struct stream_target *target)
{
	struct span pids = record_text(&target->record, &target->pids);
	uint32_t pid;

	for (size_t i = 0; i + sizeof(pid) <= pids.size; i += sizeof(pid)) {
		memcpy(&pid, pids.data + i, sizeof(pid));
		map_put(&s->selected, &pid, NULL);
	}
}

/* Returns whether the record is of a selected process, or of one that it started. */
static bool is_selected(struct timeline_state *s, const struct sooth_record *r)
{
	const struct process_join *join = record_as(r, PROCESS_JOIN, sizeof(*join));
	const struct stream_target *target = record_as(r, STREAM_TARGET, sizeof(*target));

	if (!s->is_of_target)
		return true;
	if (target)
		select_target(s, target);
	if (join && map_get(&s->selected, &join->parent_pid))
		map_put(&s->selected, &r->pid, NULL);
	return !r->pid || !s->selected.count || map_get(&s->selected, &r->pid);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct timeline_state *s = state;
	int status = 0;

	batch_for_each (r, batch) {
		if (!is_selected(s, r))
			continue;
		status = status ?: api_tracker_record(&s->api.tracker, r, err);
		if (r->kind == STREAM_TARGET)
			s->is_launched = target_is_command(r);
		heap_overhead_add_record(&s->overheads, r);
		timeline_tracker_add_record(&s->tracker, r);
	}
	return status ?: timeline_findings_push(&s->findings, batch, err);
}

/* --- axis --- */

static uint64_t since_begin(const struct timeline_tracker *b, uint64_t at_ns)
{
	return at_ns > b->axis.begin_ns ? at_ns - b->axis.begin_ns : 0;
}

static int emit_axis(struct timeline_state *s, struct sooth_error *err)
{
	static const struct section section = SECTION_OF(
		"timeline", timeline_axis_schema, OBJECT, .if_empty = "nothing was observed");
	const struct timeline_tracker *b = &s->tracker;
	struct timeline_axis_row row = { .begin_ns = b->axis.begin_ns,
		.begin_utc_ns = b->axis.begin_ns + (uint64_t)b->segment.realtime_offset_ns,
		.interval_ns = b->axis.end_ns - b->axis.begin_ns,
		.stretch_ns = b->axis.stretch_ns,
		.stretches = track_axis_count(&b->axis),
		.utc_state = b->segment.record.time_ns ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	int status = output_section(s->output, &section, err);

	return status || !b->has_begun ? status : OUTPUT_ROW(s->output, &row, NULL, 0, err);
}

/* --- tracks --- */

static const char *track_name(enum timeline_group group, uint32_t what)
{
	switch (group) {
	case TIMELINE_CPU:
		return what ? thread_role_names.names[what - 1] : "all threads";
	case TIMELINE_MEMORY:
		return what ? map_class_names.names[what - 1] : "resident";
	case TIMELINE_IO:
		return what == TIMELINE_READ ? "read" : "written";
	case TIMELINE_FDS:
		return "open";
	case TIMELINE_HEAP:
		return "live heap";
	case TIMELINE_HEAP_RATE:
		return what == TIMELINE_ALLOCATED ? "allocated"
		       : what == TIMELINE_FREED	  ? "freed"
						  : "freed within 10 ms";
	case TIMELINE_RESIDENT:
		return resident_member_names.names[what];
	case TIMELINE_CALLS:
		return what == TIMELINE_FAILED ? "failed" : syscall_category_name(what);
	default:
		return "records";
	}
}

static void set_value(const struct sooth_schema *schema, union timeline_value *to, double value)
{
	if (sooth_schema_field(schema, "track")[2].type == SOOTH_FIELD_UNSIGNED)
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
	enum timeline_group group, uint32_t what, struct track *track, struct sooth_error *err)
{
	const struct track_axis *axis = &s->tracker.axis;
	struct track *sum = timeline_sum(&s->tracker, group, what);
	struct track_values f = track_values(track, sum == track ? NULL : sum, axis, s->values);
	struct timeline_track_row row = { .record = row_head(&p->id),
		.longest_ns = track->longest_ns,
		.pid_state = p->id.pid ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.longest_state = track->longest_ns ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
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

/* The tracks of a process in a group: the total first, then parts by size. */
struct placed {
	struct track *track;
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

static double weight_of(const struct track *track, const struct track_axis *axis,
	enum timeline_group group, uint32_t what)
{
	double most = 0;

	if (what == TIMELINE_WHOLE && (group == TIMELINE_CPU || group == TIMELINE_MEMORY))
		return INFINITY;
	if (group == TIMELINE_IO || group == TIMELINE_HEAP_RATE)
		return -(double)what;
	if (group == TIMELINE_CALLS && what == TIMELINE_FAILED)
		return -1;
	for (size_t i = 0; i < track_axis_count(axis) && track->kind == TRACK_LEVEL; i++)
		most = track->stretches[i].amount > most ? track->stretches[i].amount : most;
	return track->kind == TRACK_LEVEL ? most : track->total;
}

static int emit_process_tracks(struct timeline_state *s, const struct timeline_process *p,
	enum timeline_group selected, struct sooth_error *err)
{
	struct placed places[PLACES];
	enum timeline_group group;
	size_t position = 0, count = 0;
	struct track *track;
	uint32_t what;
	int status = 0;

	while (count < PLACES && (track = timeline_track_next(p, &position, &group, &what))) {
		if (group == selected)
			places[count++] = (struct placed){ track, what,
				weight_of(track, &s->tracker.axis, group, what) };
	}
	qsort(places, count, sizeof(*places), heaviest_first);
	for (size_t i = 0; i < count && !status; i++)
		status = emit_track(s, p, selected, places[i].what, places[i].track, err);
	return status;
}

static int emit_group(struct timeline_state *s, enum timeline_group group, struct sooth_error *err)
{
	/* With a single process the total equals that process; lost records belong to no
	 * process. */
	size_t first = s->count == 2 && group != TIMELINE_LOST ? 1 : 0;
	int status;

	if (group == TIMELINE_RESIDENT && !s->tracker.has_levels)
		return 0;
	status = output_section(s->output, &s->sections[group], err);
	for (size_t i = first; i < s->count && !status; i++)
		status = emit_process_tracks(s, s->order[i], group, err);
	return status;
}

/* --- lives and events --- */

static int emit_lives(struct timeline_state *s, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("lives", timeline_life_schema, TABLE,
		.title = "processes", .rows_most = TRACKS_FOR_PEOPLE);
	int status = output_section(s->output, &section, err);

	for (size_t i = 1; i < s->count && !status; i++) {
		const struct timeline_process *p = s->order[i];
		struct buffer words = { 0 };
		struct timeline_life_row row = { .record = row_head(&p->id),
			.from_ns = since_begin(&s->tracker, p->started_ns),
			.to_ns = since_begin(&s->tracker, p->end_ns),
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
	static const struct section section = SECTION_OF("events", timeline_event_schema, TABLE,
		.title = "events", .rows_most = EVENTS_FOR_PEOPLE);
	int status = output_section(s->output, &section, err);

	buffer_each_while (const struct timeline_event_kept, e, &s->tracker.events, !status) {
		struct timeline_event_row row = { .record = row_head(&e->id),
			.at_ns = since_begin(&s->tracker, e->at_ns),
			.what = e->what,
			.pid_state = e->id.pid ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
		struct record_tail tail[] = {
			tail_span(
				&row.process, span_of(e->name, strnlen(e->name, sizeof(e->name)))),
			{ &row.detail, buffer_at(&s->tracker.texts, e->detail.offset),
				e->detail.size },
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
	s->order = calloc(s->tracker.processes.count + 1, sizeof(struct timeline_process *));
	if (!s->order)
		return -1;
	s->order[s->count++] = &s->tracker.all;
	map_for_each_pointer (&s->tracker.processes, struct timeline_process *, p)
		s->order[s->count++] = p;
	qsort(s->order + 1, s->count - 1, sizeof(struct timeline_process *), busiest_first);
	return 0;
}

static void emit_limit_notes(struct timeline_state *s)
{
	const struct timeline_tracker *b = &s->tracker;

	if (s->says_missing && !b->has_fds)
		output_limit(s->output, "descriptors over time", "the probe fds was not recorded",
			"sooth record --probe proc,fds -o FILE.sooth PID");
	if (b->has_aggregates)
		output_limit(s->output, "exact times of calls",
			"the calls were only counted, so each count is spread evenly over its "
			"interval",
			"to get the time of each call: sooth timeline --calls PID");
	if (b->given_up)
		output_limit(s->output, "tracks of some ended processes",
			"there are more processes than sooth keeps; the tracks of all processes "
			"include their activity",
			"");
	if (b->refused_processes)
		output_limit(s->output, "some processes",
			"sooth's table is full; the rest is left out",
			"select fewer processes with -p");
	if (b->refused_tracks)
		output_limit(s->output, "some tracks",
			"sooth's table is full; the rest is left out",
			"select fewer processes with -p");
	if (b->refused_events || b->events.failed || b->texts.failed)
		output_limit(s->output, "some events",
			"sooth's table is full; the rest is left out", "");
}

static int finish(void *state, struct sooth_error *err)
{
	struct timeline_state *s = state;
	int status = timeline_findings_finish(&s->findings, err);

	timeline_tracker_resolve(&s->tracker);
	if (put_in_order(s))
		return error_no_memory(err);
	if (!status)
		status = emit_axis(s, err);
	for (unsigned i = 0; i < TIMELINE_GROUPS && !status; i++)
		status = emit_group(s, (enum timeline_group)i, err);
	if (!status)
		status = allocator_use_emit(s->output, &s->tracker, s->order + 1, s->count - 1,
			s->is_launched, s->values, err);
	if (!status)
		status = emit_lives(s, err);
	if (!status)
		status = timeline_api_emit(
			&s->api, &s->tracker.axis, s->says_missing, s->output, err);
	if (!status)
		status = emit_events(s, err);
	emit_limit_notes(s);
	return status ? status
		      : heap_overhead_emit(&s->overheads, s->output,
				&(struct heap_observed){ .is_launched = s->is_launched }, err);
}

static void fini(void *state)
{
	struct timeline_state *s = state;

	timeline_findings_fini(&s->findings);
	timeline_tracker_fini(&s->tracker);
	timeline_api_fini(&s->api);
	map_fini(&s->selected);
	heap_overhead_fini(&s->overheads);
	free(s->order);
}

static const struct sooth_schema *const tables[] = { &timeline_life_schema, &timeline_event_schema,
	&heap_overhead_row_schema, &timeline_track_schemas[TIMELINE_CPU],
	&timeline_track_schemas[TIMELINE_MEMORY], &timeline_track_schemas[TIMELINE_IO],
	&timeline_track_schemas[TIMELINE_CALLS], &timeline_track_schemas[TIMELINE_LOST],
	&timeline_track_schemas[TIMELINE_HEAP], &timeline_track_schemas[TIMELINE_HEAP_RATE],
	&timeline_track_schemas[TIMELINE_RESIDENT], &timeline_track_schemas[TIMELINE_FDS],
	&timeline_api_schema, &allocator_use_schema, NULL };

const struct stage_type stage_timeline = {
	.name = "timeline",
	.help = "CPU, memory, I/O and system calls over time",
	.shows = "proc",
	.tables = tables,
	STAGE_FUNCTIONS(struct timeline_state),
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From blocks to rows: reads, merges, passes the records to each stage, and at the end lets each
 * stage emit its rows. From report_block() on, blocks of a file and live blocks are treated alike.
 */
#include "explain/report.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/options.h"
#include "base/map.h"
#include "explain/merge.h"
#include "explain/output.h"
#include "explain/time_range.h"
#include "explain/registry.h"
#include "model/probe.h"
#include "explain/summary.h"

#define REPORT_STAGES_MAX 32
#define REPORT_OFFERS_MAX 8
#define REPORT_TABLES_MAX 64
#define REPORT_PIDS_MAX	  4096

struct report_stage {
	const struct stage_type *type;
	void *state;
	bool has_record; /* of its kind; only known of a default view */
};

struct sooth_report {
	struct report_head head;
	struct output *output;
	struct block_reader reader;
	struct merge merge;
	struct summary summary;
	struct report_stage stages[REPORT_STAGES_MAX];
	size_t stage_count;
	size_t default_count; /* of these, at the end: added because a probe was recorded */
	struct report_offer {
		const char *probe, *view;
		const void *options;
	} offers[REPORT_OFFERS_MAX]; /* views that wait for their probe; view NULL: added */
	size_t offer_count;
	sooth_record_handler handler;
	void *handler_user;
	const struct sooth_schema *handled; /* schema of the record before */
	struct map pids;	/* uint32_t -> bool: whether it was seen; empty: all pids */
	struct buffer selected; /* records of the selected pids */
	struct buffer renamed;
	bool wants_default_views, may_lack_pids;
	bool has_begun;
	bool has_read;			/* the blocks came as bytes */
	struct sooth_report *passes_to; /* NULL: none */
	uint16_t marked_kind;		/* kind of the record before */
	uint16_t frame_kind;		/* kind of the record that ends a frame; 0: one report */
	bool emits_intervals, has_interval, is_over;
	struct time_range part;
	struct survey *survey; /* counts records; NULL: not requested */
};

static int handle_batch(void *user, const struct batch *batch, struct sooth_error *err);

int sooth_report_new(struct sooth_report **out, const char *name, struct sooth_error *err)
{
	ERROR_HERE(err);
	struct sooth_report *r = calloc(1, sizeof(*r));
	int status;

	if (!r)
		return error_no_memory(err);
	r->head = (struct report_head){ name, REPORT_SCHEMA_VERSION };
	map_init(&r->pids, sizeof(uint32_t), sizeof(bool), REPORT_PIDS_MAX);
	r->merge.handler = handle_batch;
	r->merge.user = r;
	r->summary.child_status = -1;
	r->summary.is_observation = true;
	status = output_new(&r->output, err);
	if (status) {
		free(r);
		return status;
	}
	*out = r;
	return 0;
}

static int add_stage(struct sooth_report *r, const struct stage_type *type, const void *options,
	struct sooth_error *err)
{
	struct report_stage *stage = &r->stages[r->stage_count];
	int status;

	if (r->stage_count == REPORT_STAGES_MAX)
		return error_set(err, -E2BIG, SOOTH_FAULT_USAGE, "show more than %d views",
			REPORT_STAGES_MAX);
	stage->type = type;
	stage->state = calloc(1, type->state_size + 1);
	if (!stage->state)
		return error_no_memory(err);
	status = type->init(stage->state, r->output, options, err);
	if (status) {
		type->fini(stage->state);
		free(stage->state);
		return status;
	}
	r->stage_count++;
	r->summary.are_gaps_reported |= type->reports_gaps;
	r->summary.hides_fallbacks =
		type->is_same_by_fallback && (r->stage_count == 1 || r->summary.hides_fallbacks);
	return 0;
}

int sooth_report_add_view(
	struct sooth_report *r, const char *view, const void *options, struct sooth_error *err)
{
	ERROR_HERE(err);
	const struct stage_type *type = registry_stage(view);

	if (!type) {
		error_set(err, -ENOENT, SOOTH_FAULT_USAGE,
			"show \"%s\": there is no view of this name", view);
		return error_remedy(err, "<sooth/report.h> lists the views");
	}
	return add_stage(r, type, options, err);
}

void report_add_view_of(
	struct sooth_report *r, const char *probe, const char *view, const void *options)
{
	assert(r);
	assert(r->offer_count < REPORT_OFFERS_MAX);
	r->offers[r->offer_count++] = (struct report_offer){ probe, view, options };
}

int sooth_report_filter(struct sooth_report *r, const char *expression, struct sooth_error *err)
{
	ERROR_HERE(err);
	return output_filter(r->output, expression, err);
}

int report_check_filter(const struct sooth_report *r, struct sooth_error *err)
{
	assert(r);
	/* The tables under every report can be filtered as well. */
	const struct sooth_schema *tables[REPORT_TABLES_MAX] = { registry_schema(STREAM_SOURCE),
		registry_schema(STREAM_LOSS), registry_schema(STREAM_LIMIT) };
	size_t count = 3;

	if (r->wants_default_views || !r->stage_count)
		return 0;
	for (size_t i = 0; i < r->stage_count; i++) {
		const struct sooth_schema *const *told = r->stages[i].type->tables;

		if (!told)
			return 0;
		for (; *told && count < REPORT_TABLES_MAX; told++)
			tables[count++] = *told;
		if (*told)
			return 0;
	}
	return output_check_filter(r->output, tables, count, err);
}

void sooth_report_add_default_views(struct sooth_report *r)
{
	r->wants_default_views = true;
}

int sooth_report_add_sink(struct sooth_report *r, const char *sink,
	const struct sooth_sink_options *options, struct sooth_error *err)
{
	ERROR_HERE(err);
	const struct sink_type *type = registry_sink(sink);
	struct sooth_sink_options known;
	struct sink_options own;
	int status;

	if (!type) {
		error_set(err, -ENOENT, SOOTH_FAULT_USAGE,
			"write \"%s\": there is no output format of this name", sink);
		return error_remedy(err, "<sooth/report.h> lists the formats");
	}
	status = options_copy(&known, sizeof(known), options, err);
	if (!status && !known.stream) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "write \"%s\"", sink);
		error_why(err, "there is no stream to write to");
		status = error_remedy(err, "set the member stream");
	}
	if (status)
		return status;
	own = (struct sink_options){ .stream = known.stream,
		.width = known.width,
		.use_color = known.use_color,
		.in_lines = known.in_lines,
		.is_verbose = known.is_verbose };
	return output_add_sink(r->output, type, &own, err);
}

int report_add_sink_type(struct sooth_report *r, const struct sink_type *type,
	const struct sink_options *options, struct sooth_error *err)
{
	assert(r);
	return output_add_sink(r->output, type, options, err);
}

int sooth_report_add_pid(struct sooth_report *r, pid_t pid, struct sooth_error *err)
{
	ERROR_HERE(err);
	uint32_t key = (uint32_t)pid;

	if (map_put(&r->pids, &key, NULL))
		return 0;
	return error_set(
		err, -E2BIG, SOOTH_FAULT_USAGE, "choose more than %d processes", REPORT_PIDS_MAX);
}

void report_may_lack_pids(struct sooth_report *r)
{
	assert(r);
	r->may_lack_pids = true;
}

void sooth_report_on_record(struct sooth_report *r, sooth_record_handler handler, void *user)
{
	r->handler = handler;
	r->handler_user = user;
}

/* --- taking --- */

static int begin_once(struct sooth_report *r, struct sooth_error *err)
{
	if (r->has_begun)
		return 0;
	r->has_begun = true;
	return output_begin(r->output, &r->head, err);
}

static bool has_stage(const struct sooth_report *r, const struct stage_type *type)
{
	for (size_t i = 0; i < r->stage_count; i++) {
		if (r->stages[i].type == type)
			return true;
	}
	return false;
}

/* Moves the last stage before those that were added by default. */
static void put_before_defaults(struct sooth_report *r)
{
	struct report_stage last = r->stages[r->stage_count - 1];
	struct report_stage *first = &r->stages[r->stage_count - 1 - r->default_count];

	memmove(first + 1, first, r->default_count * sizeof(*first));
	*first = last;
}

static int add_views_of(
	struct sooth_report *r, const struct sooth_record *record, struct sooth_error *err)
{
	const struct sooth_schema *schema = registry_schema(STREAM_SOURCE);
	struct sooth_value probe = sooth_field_get(sooth_schema_field(schema, "probe"), record);
	int status = 0;

	for (size_t i = 0; i < r->offer_count && !status; i++) {
		struct report_offer offer = r->offers[i];

		if (!offer.view || probe.state != SOOTH_STATE_VALUE ||
			!span_equal(span_of(probe.text.data, probe.text.size), offer.probe))
			continue;
		r->offers[i].view = NULL;
		status = sooth_report_add_view(r, offer.view, offer.options, err);
		if (!status)
			put_before_defaults(r);
	}
	for (size_t i = 0; registry_stages[i] && r->wants_default_views && !status; i++) {
		const struct stage_type *type = registry_stages[i];

		if (type->probe && probe.state == SOOTH_STATE_VALUE && !has_stage(r, type) &&
			span_equal(span_of(probe.text.data, probe.text.size), type->probe)) {
			status = add_stage(r, type, NULL, err);
			r->default_count += !status;
		}
	}
	return status;
}

/* Kinds come in runs. A source's record, which adds views, ends a run. */
static void mark_kind(struct sooth_report *r, uint16_t kind)
{
	for (size_t i = r->stage_count - r->default_count; i < r->stage_count; i++)
		r->stages[i].has_record |= r->stages[i].type->of_kind == kind;
	r->marked_kind = kind;
}

static int handle_record(
	struct sooth_report *r, const struct sooth_record *record, struct sooth_error *err)
{
	int status = 0;

	summary_add_record(&r->summary, record);
	if (record->kind == STREAM_SOURCE)
		status = add_views_of(r, record, err);
	if (r->handler || output_takes_records(r->output)) {
		/* Kinds come in runs. */
		if (!r->handled || r->handled->kind != record->kind)
			r->handled = registry_schema(record->kind);
		output_show_record(r->output, r->handled, record);
	}
	if (record->kind != r->marked_kind)
		mark_kind(r, record->kind);
	if (!status && r->handler) {
		status = r->handler(r->handler_user, r->handled, record);
		if (status < 0)
			error_errno(err, status, "handle a record");
	}
	return status < 0 ? status : 0;
}

/* Kinds come in runs, so each run needs only one look-up. */
static void count_unknown(struct sooth_report *r, const struct batch *batch)
{
	uint16_t last_kind = 0;
	bool is_known = true;

	batch_for_each (record, batch) {
		if (record->kind != last_kind) {
			last_kind = record->kind;
			is_known = registry_schema(last_kind) != NULL;
		}
		r->summary.unknown_records += !is_known;
	}
}

/* Returns the records of the selected processes, and those that belong to no process. */
static struct batch select_records(struct sooth_report *r, const struct batch *batch)
{
	buffer_reset(&r->selected);
	batch_for_each (record, batch) {
		bool *is_seen = record->pid ? map_get(&r->pids, &record->pid) : NULL;

		if (record->pid && !is_seen)
			continue;
		if (is_seen)
			*is_seen = true;
		buffer_append(&r->selected, record, record_bytes(record));
	}
	return (struct batch){ r->selected.data, r->selected.size };
}

static int handle_records(struct sooth_report *r, const struct batch *all, struct sooth_error *err)
{
	struct batch selected = r->pids.count ? select_records(r, all) : *all;
	const struct batch *batch = &selected;
	int status = begin_once(r, err);

	if (!status && buffer_failed(&r->selected))
		status = error_no_memory(err);
	count_unknown(r, batch);
	batch_for_each (record, batch) {
		if (!status)
			status = handle_record(r, record, err);
	}
	for (size_t i = 0; i < r->stage_count && !status; i++)
		status = r->stages[i].type->push(r->stages[i].state, batch, err);
	return status ? status : output_flush(r->output, err);
}

static bool is_left_out(const struct sooth_report *r, size_t i)
{
	const struct report_stage *stage = &r->stages[i];

	return i >= r->stage_count - r->default_count && stage->type->of_kind && !stage->has_record;
}

/* Returns whether a stage is the first default view of its probe, and all of them are left out. */
static bool stands_for_probe(const struct sooth_report *r, size_t stage)
{
	for (size_t i = r->stage_count - r->default_count; i < r->stage_count; i++) {
		if (!strcmp(r->stages[i].type->probe, r->stages[stage].type->probe) &&
			(i < stage || !is_left_out(r, i)))
			return false;
	}
	return true;
}

static int emit_views(struct sooth_report *r, struct sooth_error *err)
{
	int status = 0;

	for (size_t i = 0; i < r->stage_count && !status; i++) {
		const struct stage_type *type = r->stages[i].type;

		if (!is_left_out(r, i))
			status = type->finish(r->stages[i].state, err);
		else if (stands_for_probe(r, i))
			output_limit(r->output, type->probe,
				"it was recorded, and saw no event of the target", "");
	}
	return status;
}

static int emit_frame(struct sooth_report *r, struct sooth_error *err)
{
	int status = begin_once(r, err);

	if (!status)
		status = emit_views(r, err);
	r->has_begun = false;
	return status ? status : output_end(r->output, err);
}

/* Handles records frame by frame. A frame shows the state at its end, so the batch is split there.
 */
static int handle_frames(struct sooth_report *r, const struct batch *all, struct sooth_error *err)
{
	const unsigned char *taken = all->data, *last = all->data + all->size;
	int status = 0;

	batch_for_each (record, all) {
		const unsigned char *end = (const unsigned char *)record + record_bytes(record);

		r->is_over |= record->kind == STREAM_END;
		/* Processes that end with the recording are sampled after its end. */
		if (status || record->kind != r->frame_kind || (r->emits_intervals && r->is_over))
			continue;
		status = handle_records(r, &(struct batch){ taken, (size_t)(end - taken) }, err);
		taken = end;
		if (!status && (!r->emits_intervals || r->has_interval))
			status = emit_frame(r, err);
		r->has_interval = true;
	}
	if (!status && taken < last)
		status = handle_records(r, &(struct batch){ taken, (size_t)(last - taken) }, err);
	return status;
}

static int handle_batch(void *user, const struct batch *all, struct sooth_error *err)
{
	struct sooth_report *r = user;
	struct batch current = old_names_replace(&r->renamed, all);
	struct batch inside = time_range_select(&r->part, &current);

	if (buffer_failed(&r->part.kept) || buffer_failed(&r->renamed))
		return error_no_memory(err);
	return r->frame_kind ? handle_frames(r, &inside, err) : handle_records(r, &inside, err);
}

void report_in_frames(struct sooth_report *r, const char *schema)
{
	assert(r);
	r->frame_kind = registry_kind(schema);
}

void report_in_intervals(struct sooth_report *r, const char *schema)
{
	assert(r);
	report_in_frames(r, schema);
	r->emits_intervals = true;
}

int report_block(void *user, const struct block *block, struct sooth_error *err)
{
	ERROR_HERE(err);
	struct sooth_report *r = user;
	int status = merge_block(&r->merge, block, err);

	if (r->survey)
		survey_block(r->survey, block);
	return status || !r->passes_to ? status : report_block(r->passes_to, block, err);
}

void report_pass_on(struct sooth_report *r, struct sooth_report *to)
{
	assert(r);
	r->passes_to = to;
}

int sooth_report_feed(
	struct sooth_report *r, const void *data, size_t size, struct sooth_error *err)
{
	ERROR_HERE(err);
	r->has_read = true;
	return block_reader_feed(&r->reader, data, size, report_block, r, err);
}

int sooth_report_between(
	struct sooth_report *r, int64_t from_ns, int64_t to_ns, struct sooth_error *err)
{
	ERROR_HERE(err);
	r->summary.part = &r->part;
	return time_range_ask(&r->part, from_ns, to_ns, err);
}

struct time_range *report_time_range(struct sooth_report *r)
{
	return &r->part;
}

struct sooth_report *report_passed_on_to(const struct sooth_report *r)
{
	return r->passes_to;
}

void report_set_unknown(struct sooth_report *r, uint64_t records)
{
	r->summary.unknown_records = records;
}

void report_survey(struct sooth_report *r, struct survey *survey)
{
	r->survey = survey;
}

const struct block_reader *report_block_reader(const struct sooth_report *r)
{
	return &r->reader;
}

/* --- the end --- */

/* Notes that the probe of a view was not observed: no rows then does not mean that nothing
 * happened. */
static void note_missing_probe(struct sooth_report *r, const struct stage_type *type)
{
	char what[96], remedy[160];

	if (!type->shows || summary_has_probe(&r->summary, type->shows))
		return;
	snprintf(what, sizeof(what), "%s (%s)", type->name, type->shows);
	snprintf(remedy, sizeof(remedy),
		"make a capture with it: `sooth record --probe %s -o FILE.sooth NAME`, or name "
		"the process here instead of a capture",
		type->shows);
	output_limit(r->output, what,
		"the capture lacks this probe: empty values here do not mean zero", remedy);
}

static int check_pids(const struct sooth_report *r, struct sooth_error *err)
{
	map_for_each (
		map_while(!r->may_lack_pids, &r->pids), const uint32_t *, pid, bool *, is_seen) {
		if (*is_seen)
			continue;
		error_set(
			err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find process %u in the capture", *pid);
		error_why(err, "the capture has no record of this process");
		return error_remedy(
			err, "without -p, this command lists the processes of the capture");
	}
	return 0;
}

bool report_is_partial(const struct sooth_report *r)
{
	assert(r);
	return report_is_damaged(r) || r->reader.cut_bytes || summary_is_cut(&r->summary);
}

int sooth_report_finish(struct sooth_report *r, struct sooth_error *err)
{
	ERROR_HERE(err);
	int status = begin_once(r, err);

	if (!status)
		status = block_reader_finish(&r->reader, report_block, r, err);
	if (!status)
		status = merge_finish(&r->merge, err);
	if (!status)
		status = time_range_check(&r->part, err);
	if (!status)
		status = check_pids(r, err);
	for (size_t i = 0; i < r->stage_count; i++)
		note_missing_probe(r, r->stages[i].type);
	if (r->has_read && report_is_partial(r))
		output_of_part(r->output);
	if (!status && (!r->frame_kind || r->emits_intervals))
		status = emit_views(r, err);
	if (status)
		return status;
	part_end(&r->part);
	summary_end_time_range(&r->summary);
	summary_losses(&r->summary, r->has_read ? &r->reader : NULL, r->merge.late_records);
	status = summary_emit(&r->summary, r->output, err);
	return status ? status : output_end(r->output, err);
}

int report_emit_so_far(struct sooth_report *r, struct sooth_error *err)
{
	int status = merge_finish(&r->merge, err);

	return status ? status : emit_views(r, err);
}

int report_notes(struct sooth_report *r, bool is_whole, struct output *o, struct sooth_error *err)
{
	assert(r);
	r->summary.is_unread = !is_whole;
	return summary_emit(&r->summary, o, err);
}

int report_end_of_file(struct sooth_report *r, struct sooth_error *err)
{
	assert(r);
	return block_reader_finish(&r->reader, report_block, r, err);
}

uint64_t report_damages(const struct sooth_report *r)
{
	assert(r);

	const struct block_reader *b = &r->reader;

	return b->damaged_blocks + b->damaged_bytes + b->cut_bytes;
}

void report_set_snapshot(struct sooth_report *r)
{
	assert(r);
	r->summary.is_snapshot = true;
}

void report_note(struct sooth_report *r, const char *what, const char *reason, const char *remedy)
{
	assert(r);
	output_limit(r->output, what, reason, remedy);
}

bool report_is_damaged(const struct sooth_report *r)
{
	assert(r);
	return r->reader.damaged_blocks || r->reader.damaged_bytes;
}

void report_damage(const struct sooth_report *r, struct buffer *out)
{
	if (report_is_damaged(r))
		buffer_string(out, "damaged: parts of it could not be read");
	else if (report_is_partial(r))
		buffer_string(out, "cut off: the end of the recording is missing");
}

static void put_lines(struct buffer *lines, uint16_t kind, const struct batch *records)
{
	struct line_plan plan;

	line_plan(&plan, registry_schema(kind));
	batch_for_each (record, records) {
		line_format(lines, &plan, record);
		buffer_char(lines, '\n');
	}
}

void report_limit_lines(const struct sooth_report *r, struct buffer *lines)
{
	assert(r);

	struct batch limits = output_limits(r->output);

	put_lines(lines, STREAM_LIMIT, &limits);
}

void report_loss_lines(const struct sooth_report *r, struct buffer *lines)
{
	assert(r);

	struct batch losses = { r->summary.losses.data, r->summary.losses.size };

	time_range_loss_line(&r->part, lines);
	put_lines(lines, STREAM_LOSS, &losses);
}

bool report_has_probe(const struct sooth_report *r, const char *probe)
{
	assert(r);
	return summary_has_probe(&r->summary, probe);
}

int sooth_report_child_status(const struct sooth_report *r)
{
	return r->summary.child_status;
}

void sooth_report_free(struct sooth_report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->stage_count; i++) {
		r->stages[i].type->fini(r->stages[i].state);
		free(r->stages[i].state);
	}
	output_free(r->output);
	merge_fini(&r->merge);
	summary_fini(&r->summary);
	time_range_fini(&r->part);
	map_fini(&r->pids);
	buffer_fini(&r->selected);
	buffer_fini(&r->renamed);
	block_reader_fini(&r->reader);
	free(r);
}

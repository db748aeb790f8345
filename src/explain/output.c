/* SPDX-License-Identifier: BSD-2-Clause */
/* Passes one report's sections to its sinks, in batches. */
#include "explain/output.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "model/filter.h"
#include "model/stream_records.h"

#define OUTPUT_BATCH_BYTES (64u << 10)
#define FILTER_NAMES_MAX   1024

struct output_sink {
	const struct sink_type *type;
	void *state;
	bool is_verbose;
};

struct output {
	struct output_sink sinks[OUTPUT_SINKS_MAX];
	size_t sink_count;
	const struct section *section;
	struct buffer rows;
	struct buffer limits;
	struct filter *filter; /* owned; NULL: every row is selected */
	bool filters;	       /* the filter applies to rows of the open section */
	bool has_filtered;     /* the filter applied to rows of any section */
	size_t kept, dropped;  /* rows of the open section, by the filter */
	bool says_privilege;
	bool is_of_part; /* the capture is cut off or damaged: rows may be missing */
};

int output_new(struct output **out, struct sooth_error *err)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : error_no_memory(err);
}

int output_add_sink(struct output *o, const struct sink_type *type,
	const struct sink_options *options, struct sooth_error *err)
{
	assert(o);

	struct output_sink *sink = &o->sinks[o->sink_count];
	int status;

	assert(type);
	assert(options);
	assert(type->open && type->rows);
	assert(!o->section); /* a later sink would miss the heading */
	if (o->sink_count == OUTPUT_SINKS_MAX)
		return error_set(err, -E2BIG, SOOTH_FAULT_USAGE, "add the sink %s: there are %d",
			type->name, OUTPUT_SINKS_MAX);
	sink->type = type;
	sink->state = calloc(1, type->state_size ? type->state_size : 1);
	if (!sink->state)
		return error_no_memory(err);
	status = type->open(sink->state, options, err);
	if (status) {
		free(sink->state);
		return status;
	}
	sink->is_verbose = options->is_verbose;
	o->sink_count++;
	return 0;
}

/* Calls an operation on every sink that `holds` is true for, until one fails. */
#define SINKS_THAT(holds, o, operation, ...)                                                       \
	({                                                                                         \
		int _status = 0;                                                                   \
		for (size_t _i = 0; _i < (o)->sink_count && !_status; _i++) {                      \
			const struct output_sink *_sink = &(o)->sinks[_i];                         \
			if (holds)                                                                 \
				_status = operation(_sink->type, _sink->state, __VA_ARGS__);       \
		}                                                                                  \
		_status;                                                                           \
	})
#define EACH_SINK(o, operation, ...) SINKS_THAT(true, o, operation, __VA_ARGS__)
#define EACH_READER(o, section, operation, ...)                                                    \
	SINKS_THAT(reads_section(_sink, section), o, operation, __VA_ARGS__)

static bool reads_section(const struct output_sink *sink, const struct section *section)
{
	if (sink->type->has_room)
		return true;
	switch (section->audience) {
	case SECTION_FOR_PEOPLE:
		return sink->type->is_for_people;
	case SECTION_BRIEF:
		return sink->type->is_for_people && !sink->is_verbose;
	case SECTION_DETAIL:
		return !sink->type->is_for_people || sink->is_verbose;
	default:
		return true;
	}
}

static int sink_rows(const struct sink_type *type, void *state, const struct section *section,
	const struct batch *batch, struct sooth_error *err)
{
	return type->rows(state, section, batch, err);
}

bool output_takes_records(const struct output *o)
{
	bool takes = false;

	assert(o);
	for (size_t i = 0; i < o->sink_count; i++)
		takes |= o->sinks[i].type->record != NULL;
	return takes;
}

void output_show_record(
	struct output *o, const struct sooth_schema *schema, const struct sooth_record *record)
{
	assert(o);
	for (size_t i = 0; i < o->sink_count && schema; i++) {
		if (o->sinks[i].type->record)
			o->sinks[i].type->record(o->sinks[i].state, schema, record);
	}
}

int output_begin(struct output *o, const struct report_head *head, struct sooth_error *err)
{
	return EACH_SINK(o, sink_begin, head, err);
}

int output_flush(struct output *o, struct sooth_error *err)
{
	assert(o);

	struct batch batch = { o->rows.data, o->rows.size };
	int status = 0;

	assert(o->section || !batch.size);
	if (buffer_failed(&o->rows))
		return error_no_memory(err);
	if (batch.size)
		status = EACH_READER(o, o->section, sink_rows, o->section, &batch, err);
	buffer_reset(&o->rows);
	return status;
}

/* Returns whether a filter makes sense: single rows are no choice. */
static bool is_table(const struct section *section)
{
	return section->shape == SECTION_TABLE || section->shape == SECTION_KEYED ||
	       section->shape == SECTION_STREAM;
}

void output_of_part(struct output *o)
{
	o->is_of_part = true;
}

int output_close_section(struct output *o, struct sooth_error *err)
{
	struct section section;
	int status;

	assert(o);
	if (!o->section)
		return 0;
	section = *o->section;
	/* "No agents are running here" would be untrue. */
	if (o->dropped && !o->kept && section.if_empty)
		section.if_empty = "no row matches the filter";
	else if (o->is_of_part && section.if_empty && is_table(&section))
		section.if_empty = "no row in the part of the capture that could be read";
	status = output_flush(o, err);
	o->section = NULL;
	return status ? status : EACH_READER(o, &section, sink_section_end, &section, err);
}

int output_section(struct output *o, const struct section *section, struct sooth_error *err)
{
	assert(o);

	int status = output_close_section(o, err);

	assert(section);
	assert(section->schema);
	if (status)
		return status;
	o->section = section;
	o->kept = o->dropped = 0;
	o->filters =
		o->filter && is_table(section) && filter_fits_schema(o->filter, section->schema);
	o->has_filtered |= o->filters;
	return EACH_READER(o, section, sink_section, section, err);
}

/* Removes the row at `at` if the filter rejects it. */
static int filter_row(struct output *o, size_t at, struct sooth_error *err)
{
	int holds;

	if (!o->filters || buffer_failed(&o->rows))
		return 0;
	holds = filter_matches_record(
		o->filter, o->section->schema, (const void *)(o->rows.data + at), err);
	if (!holds)
		o->rows.size = at;
	o->kept += holds > 0;
	o->dropped += !holds;
	return holds < 0 ? holds : 0;
}

bool output_filters(const struct output *o, const struct sooth_schema *schema)
{
	assert(o);
	return o->filter && filter_fits_schema(o->filter, schema);
}

bool output_holds(
	const struct output *o, const struct sooth_schema *schema, const struct sooth_record *row)
{
	struct sooth_error ignored;

	return !output_filters(o, schema) ||
	       filter_matches_record(o->filter, schema, row, &ignored) > 0;
}

static int flush_when_full(struct output *o, struct sooth_error *err)
{
	return o->rows.size >= OUTPUT_BATCH_BYTES ? output_flush(o, err) : 0;
}

int output_row(struct output *o, struct sooth_record *row, size_t fixed, struct record_tail *tail,
	size_t tail_count, struct sooth_error *err)
{
	assert(o);

	size_t at = o->rows.size;
	int status;

	assert(row);
	assert(o->section); /* output_section() came first */
	row->kind = o->section->schema->kind;
	record_append(&o->rows, row, fixed, tail, tail_count);
	status = filter_row(o, at, err);
	return status ? status : flush_when_full(o, err);
}

static int emit_interleaved(struct output *o, const struct section *section,
	const struct sooth_record *row, struct sooth_error *err)
{
	struct batch batch = { (const void *)row, record_bytes(row) };
	int status = output_flush(o, err);

	for (size_t i = 0; i < o->sink_count && !status; i++) {
		const struct output_sink *sink = &o->sinks[i];

		if (sink->type->takes_asides)
			status = sink->type->rows(sink->state, section, &batch, err);
	}
	return status;
}

int output_interleaved(struct output *o, const struct section *section, struct sooth_record *row,
	size_t fixed, struct record_tail *tail, size_t tail_count, struct sooth_error *err)
{
	struct buffer bytes = { 0 };
	int status;

	if (o->filter)
		return 0;
	row->kind = section->schema->kind;
	record_append(&bytes, row, fixed, tail, tail_count);
	status = buffer_failed(&bytes)
			 ? error_no_memory(err)
			 : emit_interleaved(o, section, (const void *)bytes.data, err);
	buffer_fini(&bytes);
	return status;
}

int output_record(struct output *o, const struct sooth_record *record, struct sooth_error *err)
{
	assert(o);

	size_t at = o->rows.size;
	int status;

	assert(o->section);
	buffer_append(&o->rows, record, record_bytes(record));
	status = filter_row(o, at, err);
	return status ? status : flush_when_full(o, err);
}

void output_limit(struct output *o, const char *what, const char *reason, const char *remedy)
{
	struct stream_limit limit = { .record = { .kind = STREAM_LIMIT } };
	struct record_tail tail[] = {
		{ &limit.what, what, strlen(what) },
		{ &limit.reason, reason, strlen(reason) },
		{ &limit.remedy, remedy, strlen(remedy) },
	};

	assert(o);
	RECORD_APPEND(&o->limits, &limit, tail, 3);
}

struct batch output_limits(const struct output *o)
{
	return (struct batch){ o->limits.data, o->limits.size };
}

bool output_says_privilege(struct output *o, bool says_so)
{
	return o->says_privilege |= says_so;
}

int output_filter(struct output *o, const char *text, struct sooth_error *err)
{
	struct filter *filter;
	int status = filter_new(&filter, text, err);

	assert(o);
	if (status)
		return status;
	filter_free(o->filter);
	o->filter = filter;
	return 0;
}

static int refuse_unknown_filter_field(const char *field, const struct sooth_schema *const *tables,
	size_t count, struct sooth_error *err)
{
	const char *names[FILTER_NAMES_MAX], *nearest;
	size_t known = 0;

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < tables[i]->field_count && known < FILTER_NAMES_MAX; k++)
			names[known++] = tables[i]->fields[k].name;
	}
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "filter by \"%s\"", field);
	error_why(err, "no table of this report has this field");
	nearest = nearest_name(field, names, known);
	return nearest ? error_remedy(err, "did you mean %s? `-j` shows all", nearest)
		       : error_remedy(err, "`-j` shows the field names");
}

static int refuse_filter_without_rows(const struct output *o, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "filter by \"%s\" with the other fields",
		filter_field(o->filter));
	error_why(err, "no table of this report has all these fields");
	return error_remedy(err, "`-j` shows the field names");
}

int output_check_filter(const struct output *o, const struct sooth_schema *const *tables,
	size_t count, struct sooth_error *err)
{
	const char *unknown = o->filter ? filter_unknown(o->filter, tables, count) : NULL;

	if (unknown)
		return refuse_unknown_filter_field(unknown, tables, count, err);
	for (size_t i = 0; i < count; i++) {
		if (o->filter && filter_fits_schema(o->filter, tables[i]))
			return 0;
	}
	return o->filter ? refuse_filter_without_rows(o, err) : 0;
}

int output_end(struct output *o, struct sooth_error *err)
{
	assert(o);

	int status = output_close_section(o, err);

	if (!status)
		status = EACH_SINK(o, sink_end, err);
	if (!status && o->filter && !o->has_filtered)
		status = refuse_filter_without_rows(o, err);
	return status;
}

void output_free(struct output *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->sink_count; i++) {
		sink_close(o->sinks[i].type, o->sinks[i].state);
		free(o->sinks[i].state);
	}
	buffer_fini(&o->rows);
	buffer_fini(&o->limits);
	filter_free(o->filter);
	free(o);
}

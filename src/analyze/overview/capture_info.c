/* SPDX-License-Identifier: BSD-2-Clause */
/* The content of a capture: length, time, host, and the number of records by kind. The numbers come
 * from the index or from counting; only records about the stream itself are read. */
#include <stdlib.h>
#include <string.h>

#include "analyze/records.h"
#include "base/cleanup.h"
#include "capture/index.h"
#include "model/probe.h"
#include "explain/stage.h"
#include "model/row_list.h"

#define NAMES_MAX 4096

enum info_read { READ_WHOLE, READ_INDEX, READ_GAPS };

static const char *const read_names[] = {
	[READ_WHOLE] = "all of it",
	[READ_INDEX] = "its index",
	[READ_GAPS] = "its index, and what that lacks",
};
static const struct sooth_names read_values = { ARRAY_SIZE(read_names), read_names };

#define CAPTURE_ROW(F, S)                                                                          \
	F(S, U64, file_bytes, MAYBE(file_state), "size of the capture file",                       \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, start_utc_ns, MAYBE(began_state), "time the recording started, ns since 1970",   \
		.unit = SOOTH_UNIT_UTC_NS)                                                         \
	F(S, U64, records, ALWAYS, "number of records, without repeated definitions")              \
	F(S, U64, blocks, ALWAYS, "number of blocks of records")                                   \
	F(S, U64, heads, ALWAYS, "number of blocks with definitions: each starts a segment")       \
	F(S, U64, raw_bytes, ALWAYS, "uncompressed size of all records", .unit = SOOTH_UNIT_BYTES) \
	F(S, TEXT, sooth_version, MAYBE(host_state), "version of sooth that wrote the capture")    \
	F(S, TEXT, hostname, WITH(host_state), "name of the host", .placeholder = "host")          \
	F(S, TEXT, os, WITH(host_state), "operating system of the recorded host")                  \
	F(S, TEXT, os_version, WITH(host_state), "kernel release of the host")                     \
	F(S, TEXT, architecture, WITH(host_state),                                                 \
		"machine type of the recorded host, for example x86_64")                           \
	F(S, ENUM32, read, ALWAYS,                                                                 \
		"source of this summary: index of the capture, or the whole capture",              \
		.names = &read_values)

ROW_TABLE(capture, CAPTURE_ROW, "capture", capture_row,
	.line = "[{file_bytes} with ]{records record} in {blocks block} ({raw_bytes} "
		"uncompressed)[, started {start_utc_ns}][\nby sooth {sooth_version} on {hostname} "
		"({os} {os_version}, {architecture})]\nread from {read}");

#define KIND_ROW(F, S)                                                                             \
	F(S, TEXT, kind, ALWAYS, "kind of the records", .is_key = true)                            \
	F(S, U64, records, ALWAYS, "number of records of this kind")                               \
	F(S, NAMED, U32, number, kind_number, ALWAYS, "number of the record kind",                 \
		.unit = SOOTH_UNIT_HEX, .is_hidden = true)

ROW_TABLE(kind, KIND_ROW, "kinds", kind_row);

static const struct section capture_section = SECTION_OF("capture", capture_schema, OBJECT);

static const struct section kinds_section = SECTION_OF(
	"kinds", kind_schema, TABLE, .title = "records by kind", .if_empty = "no records");

struct info_state {
	struct output *output;
	const struct survey *survey;
	struct survey own;     /* counted from the records if the caller has no survey */
	struct buffer segment; /* the first segment */
	struct buffer schemas; /* stream.schema records, once for each kind */
	struct map named;      /* uint16_t -> uint32_t: offset in schemas */
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct info_state *s = state;

	(void)err;
	s->output = output;
	s->survey = options ?: &s->own;
	map_init(&s->named, sizeof(uint16_t), sizeof(uint32_t), NAMES_MAX);
	return 0;
}

static void add_schema(struct info_state *s, const struct stream_schema *schema)
{
	uint16_t kind = (uint16_t)schema->kind;
	bool is_new = false;
	uint32_t *at = map_put(&s->named, &kind, &is_new);

	if (!at || !is_new)
		return;
	*at = (uint32_t)s->schemas.size;
	buffer_append(&s->schemas, schema, record_bytes(&schema->record));
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct info_state *s = state;
	const struct block block = { .header = { .type = BLOCK_RECORDS }, .batch = *batch };
	const void *known;

	if (s->survey == &s->own)
		survey_block(&s->own, &block);
	batch_for_each (r, batch) {
		if ((known = record_as(r, STREAM_SCHEMA, sizeof(struct stream_schema))))
			add_schema(s, known);
		else if (!s->segment.size &&
			 record_as(r, STREAM_SEGMENT, sizeof(struct stream_segment)))
			buffer_append(&s->segment, r, record_bytes(r));
	}
	return s->own.failed || buffer_failed(&s->schemas) || buffer_failed(&s->segment)
		       ? error_no_memory(err)
		       : 0;
}

/* --- output --- */

static int emit_capture(struct info_state *s, struct sooth_error *err)
{
	const struct stream_segment *segment =
		s->segment.size ? (const void *)s->segment.data : NULL;
	const struct survey *v = s->survey;
	struct capture_row row = { .file_bytes = v->file_bytes,
		.records = v->records,
		.blocks = v->blocks,
		.heads = v->heads,
		.raw_bytes = v->raw_bytes,
		.read = v->has_gaps	? READ_GAPS
			: v->is_indexed ? READ_INDEX
					: READ_WHOLE,
		.file_state = state_if(v->file_bytes),
		.began_state = state_if(segment && v->begin_ns),
		.host_state = state_if(segment) };
	struct record_tail tail[5] = { { 0 } };

	if (segment) {
		row.start_utc_ns = v->begin_ns + (uint64_t)segment->realtime_offset_ns;
		tail[0] = tail_text(&row.sooth_version, &segment->record, &segment->sooth_version);
		tail[1] = tail_text(&row.hostname, &segment->record, &segment->hostname);
		tail[2] = tail_text(&row.os, &segment->record, &segment->os);
		tail[3] = tail_text(&row.os_version, &segment->record, &segment->os_version);
		tail[4] = tail_text(&row.architecture, &segment->record, &segment->architecture);
	}
	return OUTPUT_ROW(s->output, &row, tail, segment ? ARRAY_SIZE(tail) : 0, err);
}

struct kind_count {
	uint64_t records;
	uint16_t kind;
};

static int compare_counts(const void *a, const void *b)
{
	const struct kind_count *x = a, *y = b;

	if (x->records != y->records)
		return x->records < y->records ? 1 : -1;
	return x->kind < y->kind ? -1 : x->kind > y->kind;
}

static int emit_kind(struct info_state *s, const struct kind_count *c, struct sooth_error *err)
{
	const struct sooth_schema *known = registry_schema(c->kind);
	const uint32_t *at = map_get(&s->named, &c->kind);
	struct kind_row row = { .records = c->records, .number = c->kind };
	struct record_tail name = { &row.kind, "unnamed", strlen("unnamed") };

	if (at) {
		const struct stream_schema *schema = (const void *)(s->schemas.data + *at);

		name = tail_text(&row.kind, &schema->record, &schema->name);
	} else if (known) {
		name.data = known->name;
		name.size = strlen(known->name);
	}
	return OUTPUT_ROW(s->output, &row, &name, 1, err);
}

static int emit_kinds(struct info_state *s, struct sooth_error *err)
{
	_cleanup_(buffer_fini) struct buffer sorted = { 0 };
	size_t count;
	int status = 0;

	map_for_each (&s->survey->kinds, const uint16_t *, kind, const uint64_t *, records)
		buffer_append(&sorted, &(struct kind_count){ *records, *kind },
			sizeof(struct kind_count));
	if (buffer_failed(&sorted))
		status = error_no_memory(err);
	count = sorted.size / sizeof(struct kind_count);
	if (count)
		qsort(sorted.data, count, sizeof(struct kind_count), compare_counts);
	for (size_t i = 0; i < count && !status; i++)
		status = emit_kind(s, (const struct kind_count *)(void *)sorted.data + i, err);
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct info_state *s = state;

	return output_section(s->output, &capture_section, err) ?: emit_capture(s, err)
		?: output_section(s->output, &kinds_section, err) ?: emit_kinds(s, err);
}

static void fini(void *state)
{
	struct info_state *s = state;

	survey_fini(&s->own);
	buffer_fini(&s->segment);
	buffer_fini(&s->schemas);
	map_fini(&s->named);
}

const struct stage_type stage_capture_info = {
	.name = "capture-info",
	.help = "time, host and number of records by kind of a capture",
	STAGE_FUNCTIONS(struct info_state),
};

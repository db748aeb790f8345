/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON lines of the rows and nothing else: no type, no first or last line, no
 * notes, and a member that has no value is left out. For readers that know what
 * they get, by the million lines: names are quoted once a section, not once a row.
 */
#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "base/json.h"
#include "core/sink.h"
#include "model/errno_names.h"
#include "sinks/json_members.h"

#define WRITE_BYTES (64u << 10)

struct rows_sink {
	FILE *stream;
	struct buffer bytes; /* whole lines */
	struct buffer names; /* `,"name":` of each field of the open section, NUL behind each */
};

static int write_out(struct rows_sink *s, struct sooth_error *err)
{
	return json_write_out(&s->bytes, s->stream, "write JSON lines", err);
}

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct rows_sink *s = state;

	(void)err;
	s->stream = options->stream;
	return 0;
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	struct rows_sink *s = state;

	buffer_reset(&s->names);
	for (size_t i = 0; i < section->schema->field_count; i++) {
		const char *name = section->schema->fields[i].name;

		buffer_string(&s->names, ",\"");
		escape_json(&s->names, name, strlen(name));
		buffer_append(&s->names, "\":", 3);
	}
	return buffer_failed(&s->names) ? error_no_memory(err) : 0;
}

static void write_name(struct buffer *out, const struct sooth_field *f, uint64_t value)
{
	const char *name = NULL;

	if (f->type == SOOTH_FIELD_ERRNO)
		name = errno_name(value);
	else if (f->names && value < f->names->count)
		name = f->names->names[value];
	if (!name) {
		buffer_u64(out, value);
		return;
	}
	buffer_char(out, '"');
	escape_json(out, name, strlen(name));
	buffer_char(out, '"');
}

/* Numbers are most of what comes; what is rare takes the way of the other JSON sinks. */
static void write_value(
	struct buffer *out, const struct sooth_field *f, const struct sooth_value *v)
{
	struct json json;

	switch (f->type) {
	case SOOTH_FIELD_UNSIGNED:
		buffer_u64(out, v->u);
		break;
	case SOOTH_FIELD_ENUM:
	case SOOTH_FIELD_ERRNO:
		write_name(out, f, v->u);
		break;
	default:
		json_init(&json, out, 0);
		json_value(&json, f, v);
		break;
	}
}

static void write_row(
	struct rows_sink *s, const struct sooth_schema *schema, const struct sooth_record *r)
{
	const char *name = (const char *)s->names.data;
	bool has_any = false;

	buffer_char(&s->bytes, '{');
	for (size_t i = 0; i < schema->field_count; i++) {
		struct sooth_value v = sooth_field_get(&schema->fields[i], r);
		size_t size = strlen(name);

		if (value_is_there(&v)) {
			buffer_append(&s->bytes, name + !has_any, size - !has_any);
			write_value(&s->bytes, &schema->fields[i], &v);
			has_any = true;
		}
		name += size + 1;
	}
	buffer_append(&s->bytes, "}\n", 2);
}

static int rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct rows_sink *s = state;
	int status = 0;

	if (section->is_last)
		return 0;
	batch_for_each (r, batch) {
		write_row(s, section->schema, r);
		if (!status && s->bytes.size >= WRITE_BYTES)
			status = write_out(s, err);
	}
	if (!status)
		status = write_out(s, err);
	if (!status && section->shape == SECTION_STREAM && fflush(s->stream))
		return error_errno(err, -errno, "write JSON lines");
	return status;
}

static int end(void *state, struct sooth_error *err)
{
	struct rows_sink *s = state;

	return fflush(s->stream) ? error_errno(err, -errno, "write JSON lines") : 0;
}

static void close_sink(void *state)
{
	struct rows_sink *s = state;

	buffer_fini(&s->bytes);
	buffer_fini(&s->names);
}

const struct sink_type sink_json_rows = {
	.name = "json-rows",
	.help = "JSON lines: rows only, without notes",
	.state_size = sizeof(struct rows_sink),
	.open = open_sink,
	.section = section_begin,
	.rows = rows,
	.end = end,
	.close = close_sink,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON lines of the rows and nothing else: no type, no first or last line, no
 * notes, and a member that has no value is left out. For readers that know what
 * they get, by the million lines: names are quoted once a section, not once a row.
 */
#include <string.h>

#include "base/escape.h"
#include "base/json.h"
#include "explain/sink.h"
#include "model/errno_names.h"
#include "sinks/json_members.h"
#include "sinks/tabular.h"

struct rows_sink {
	struct tabular lines;
	struct tabular_keys keys; /* of the fields of the open section */
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct rows_sink *s = state;

	(void)err;
	tabular_open(&s->lines, options->stream, "write JSON lines");
	return 0;
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	struct rows_sink *s = state;

	buffer_reset(&s->keys.bytes);
	s->keys.count = 0;
	for (size_t i = 0; i < section->schema->field_count; i++)
		tabular_key(&s->keys, section->schema->fields[i].name);
	return buffer_failed(&s->keys.bytes) ? error_no_memory(err) : 0;
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
	struct buffer *out = &s->lines.bytes;
	bool has_any = false;

	buffer_char(out, '{');
	for (size_t i = 0; i < schema->field_count; i++) {
		struct sooth_value v = sooth_field_get(&schema->fields[i], r);

		if (!value_is_there(&v))
			continue;
		if (has_any)
			buffer_char(out, ',');
		tabular_put_key(&s->keys, i, out);
		write_value(out, &schema->fields[i], &v);
		has_any = true;
	}
	buffer_append(out, "}\n", 2);
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
		if (!status)
			status = tabular_write_full(&s->lines, err);
	}
	if (status)
		return status;
	return section->shape == SECTION_STREAM ? tabular_flush(&s->lines, err)
						: tabular_write(&s->lines, err);
}

static int end(void *state, struct sooth_error *err)
{
	struct rows_sink *s = state;

	return tabular_flush(&s->lines, err);
}

static void close_sink(void *state)
{
	struct rows_sink *s = state;

	tabular_fini(&s->lines);
	buffer_fini(&s->keys.bytes);
}

const struct sink_type sink_json_rows = {
	.name = "json-rows",
	.help = "JSON lines: rows only, without notes",
	.is_unlisted = true,
	.state_size = sizeof(struct rows_sink),
	.open = open_sink,
	.section = section_begin,
	.rows = rows,
	.end = end,
	.close = close_sink,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON lines with only the rows: no type, no first or last line, no notes. A member without a value
 * is left out. The reader has to know which rows to expect.
 */
#include "sinks/json_members.h"
#include "sinks/tabular.h"

struct rows_sink {
	struct tabular lines;
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct rows_sink *s = state;

	(void)err;
	tabular_open(&s->lines, options->stream, "write JSON lines");
	return 0;
}

static void write_row(
	struct rows_sink *s, const struct sooth_schema *schema, const struct sooth_record *r)
{
	struct json json;

	json_init(&json, &s->lines.bytes, 0);
	json_begin_object(&json);
	for (size_t i = 0; i < schema->field_count; i++) {
		struct sooth_value v = sooth_field_get(&schema->fields[i], r);

		if (!value_is_there(&v))
			continue;
		json_key(&json, schema->fields[i].name);
		json_value(&json, &schema->fields[i], &v);
	}
	json_end(&json);
	buffer_char(&s->lines.bytes, '\n');
}

static int write_rows(void *state, const struct section *section, const struct batch *batch,
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

const struct sink_type sink_json_rows = {
	.name = "json-rows",
	.help = "JSON lines: rows only, without notes",
	.is_unlisted = true,
	.state_size = sizeof(struct rows_sink),
	.open = open_sink,
	.rows = write_rows,
	.end = tabular_sink_end,
	.close = tabular_sink_close,
};

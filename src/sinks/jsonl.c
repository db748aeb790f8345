/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON lines: one object a row, with the name of its section as "type" (unless its rows have a
 * member of that name). The first line names the report's schema. The last line has the notes, so
 * that readers of the stream get losses and limits too.
 */
#include <errno.h>

#include "sinks/json_members.h"
#include "sinks/tabular.h"

struct jsonl_sink {
	struct tabular out; /* the line being made */
	struct json json;
	bool in_notes; /* the last line is open */
	bool has_type; /* the rows of the open section have a member "type" */
	size_t rows;   /* rows of the open section */
};

static int write_line(struct jsonl_sink *s, struct sooth_error *err)
{
	int status;

	buffer_char(&s->out.bytes, '\n');
	if (s->json.failed)
		return error_no_memory(err);
	status = tabular_write(&s->out, err);
	if (!status)
		json_init(&s->json, &s->out.bytes, 0);
	return status;
}

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct jsonl_sink *s = state;

	(void)err;
	tabular_open(&s->out, options->stream, "write JSON lines");
	json_init(&s->json, &s->out.bytes, 0);
	return 0;
}

static int begin(void *state, const struct report_head *head, struct sooth_error *err)
{
	struct jsonl_sink *s = state;

	json_format(&s->json, "{'type':'begin'");
	json_schema_member(&s->json, head->name, head->version);
	json_end(&s->json);
	return write_line(s, err);
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	struct jsonl_sink *s = state;

	(void)err;
	s->has_type = sooth_schema_field(section->schema, "type") != NULL;
	if (!section->is_last)
		return 0;
	if (!s->in_notes) {
		json_format(&s->json, "{'type':'end'");
		s->in_notes = true;
	}
	s->rows = 0;
	json_section_begin(&s->json, section);
	return 0;
}

static int put_line(struct jsonl_sink *s, const struct section *section,
	const struct sooth_record *r, struct sooth_error *err)
{
	json_begin_object(&s->json);
	if (!s->has_type)
		json_format(&s->json, "'type':%s", section->name);
	json_members(&s->json, section->schema, r);
	json_end(&s->json);
	return write_line(s, err);
}

static int write_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct jsonl_sink *s = state;
	int status = 0;

	batch_for_each (r, batch) {
		if (section->is_last)
			json_section_row(&s->json, section, r);
		else if (!status)
			status = put_line(s, section, r, err);
		s->rows++;
	}
	/* A reader of a live stream needs each line at once. */
	return !status && section->shape == SECTION_STREAM ? tabular_flush(&s->out, err) : status;
}

static int section_end(void *state, const struct section *section, struct sooth_error *err)
{
	struct jsonl_sink *s = state;

	(void)err;
	if (section->is_last)
		json_section_end(&s->json, section, s->rows);
	return 0;
}

static int end(void *state, struct sooth_error *err)
{
	struct jsonl_sink *s = state;
	int status = 0;

	if (s->in_notes) {
		json_end(&s->json);
		status = write_line(s, err);
	}
	return status ? status : tabular_flush(&s->out, err);
}

const struct sink_type sink_jsonl = {
	.name = "jsonl",
	.help = "JSON lines: one object per row, notes last",
	.state_size = sizeof(struct jsonl_sink),
	.takes_asides = true,
	.open = open_sink,
	.begin = begin,
	.section = section_begin,
	.rows = write_rows,
	.section_end = section_end,
	.end = end,
	.close = tabular_sink_close,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON lines: one object a row, with the name of its section as "type" (unless
 * its rows have a member of that name). The first line is the report's schema,
 * the notes come as one last line, so that a reader of the stream has losses
 * and limits too.
 */
#include <errno.h>

#include "base/json.h"
#include "explain/sink.h"
#include "sinks/json_members.h"

struct jsonl_sink {
	FILE *stream;
	struct buffer bytes; /* the line being made */
	struct json json;
	bool in_notes; /* the last line is open */
	bool has_type; /* the rows of the open section say theirs */
	size_t rows;   /* of the open section */
};

static int write_line(struct jsonl_sink *s, struct sooth_error *err)
{
	int status;

	buffer_char(&s->bytes, '\n');
	if (s->json.failed)
		return error_no_memory(err);
	status = json_write_out(&s->bytes, s->stream, "write JSON lines", err);
	if (!status)
		json_init(&s->json, &s->bytes, 0);
	return status;
}

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct jsonl_sink *s = state;

	(void)err;
	s->stream = options->stream;
	json_init(&s->json, &s->bytes, 0);
	return 0;
}

static void type_member(struct jsonl_sink *s, const char *type)
{
	json_key(&s->json, "type");
	json_cstring(&s->json, type);
}

static int begin(void *state, const struct report_head *head, struct sooth_error *err)
{
	struct jsonl_sink *s = state;

	json_begin_object(&s->json);
	type_member(s, "begin");
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
		json_begin_object(&s->json);
		type_member(s, "end");
		s->in_notes = true;
	}
	s->rows = 0;
	json_section_begin(&s->json, section);
	return 0;
}

static int line(struct jsonl_sink *s, const struct section *section, const struct sooth_record *r,
	struct sooth_error *err)
{
	json_begin_object(&s->json);
	if (!s->has_type)
		type_member(s, section->name);
	json_members(&s->json, section->schema, r);
	json_end(&s->json);
	return write_line(s, err);
}

static int rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct jsonl_sink *s = state;
	int status = 0;

	batch_for_each (r, batch) {
		if (section->is_last)
			json_section_row(&s->json, section, r);
		else if (!status)
			status = line(s, section, r, err);
		s->rows++;
	}
	/* A line is worth something only when it is read: do not sit on it. */
	if (!status && section->shape == SECTION_STREAM && fflush(s->stream))
		return error_errno(err, -errno, "write JSON lines");
	return status;
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
	if (!status && fflush(s->stream))
		status = error_errno(err, -errno, "write JSON lines");
	return status;
}

static void close_sink(void *state)
{
	struct jsonl_sink *s = state;

	buffer_fini(&s->bytes);
}

const struct sink_type sink_jsonl = {
	.name = "jsonl",
	.help = "JSON lines: one object per row, notes last",
	.state_size = sizeof(struct jsonl_sink),
	.takes_asides = true,
	.open = open_sink,
	.begin = begin,
	.section = section_begin,
	.rows = rows,
	.section_end = section_end,
	.end = end,
	.close = close_sink,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One JSON object for a report. Tables are arrays of objects, single rows are
 * objects or, inline, members of the report itself. Keys come in the order in
 * which the sections do; a section comes once.
 */
#include <errno.h>

#include "base/json.h"
#include "explain/sink.h"
#include "sinks/json_members.h"

struct json_sink {
	FILE *stream;
	struct buffer bytes;
	struct json json;
	unsigned indent;
	size_t rows; /* of the open section */
};

static int write_out(struct json_sink *s, struct sooth_error *err)
{
	return json_write_out(&s->bytes, s->stream, "write JSON", err);
}

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct json_sink *s = state;

	(void)err;
	s->stream = options->stream;
	s->indent = options->in_lines ? 0 : 2;
	json_init(&s->json, &s->bytes, s->indent);
	return 0;
}

static int begin(void *state, const struct report_head *head, struct sooth_error *err)
{
	struct json_sink *s = state;

	(void)err;
	json_init(&s->json, &s->bytes, s->indent);
	json_begin_object(&s->json);
	json_schema_member(&s->json, head->name, head->version);
	return 0;
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	struct json_sink *s = state;

	(void)err;
	s->rows = 0;
	json_section_begin(&s->json, section);
	return 0;
}

static int rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct json_sink *s = state;

	batch_for_each (r, batch) {
		json_section_row(&s->json, section, r);
		s->rows++;
	}
	return write_out(s, err);
}

static int section_end(void *state, const struct section *section, struct sooth_error *err)
{
	struct json_sink *s = state;

	json_section_end(&s->json, section, s->rows);
	return write_out(s, err);
}

static int end(void *state, struct sooth_error *err)
{
	struct json_sink *s = state;
	int status;

	json_end(&s->json);
	buffer_char(&s->bytes, '\n');
	if (s->json.failed)
		return error_set(err, -EINVAL, SOOTH_FAULT_INTERNAL,
			"write JSON: sections are not nested correctly");
	status = write_out(s, err);
	if (!status && fflush(s->stream))
		status = error_errno(err, -errno, "write JSON");
	return status;
}

static void close_sink(void *state)
{
	struct json_sink *s = state;

	buffer_fini(&s->bytes);
}

const struct sink_type sink_json = {
	.name = "json",
	.help = "one JSON object",
	.state_size = sizeof(struct json_sink),
	.open = open_sink,
	.begin = begin,
	.section = section_begin,
	.rows = rows,
	.section_end = section_end,
	.end = end,
	.close = close_sink,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One JSON object for a report. Tables are arrays of objects, single rows are objects or, inline,
 * members of the report itself. Keys have the order of the sections; a section comes only once.
 */
#include <errno.h>

#include "sinks/json_members.h"
#include "sinks/tabular.h"

struct json_sink {
	struct tabular out;
	struct json json;
	unsigned indent;
	const struct sink_attachment *attached; /* NULL: none */
	size_t rows;				/* rows of the open section */
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct json_sink *s = state;

	(void)err;
	tabular_open(&s->out, options->stream, "write JSON");
	s->indent = options->in_lines ? 0 : 2;
	s->attached = options->attached;
	json_init(&s->json, &s->out.bytes, s->indent);
	return 0;
}

static int begin(void *state, const struct report_head *head, struct sooth_error *err)
{
	struct json_sink *s = state;

	(void)err;
	json_init(&s->json, &s->out.bytes, s->indent);
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

static int write_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct json_sink *s = state;

	batch_for_each (r, batch) {
		json_section_row(&s->json, section, r);
		s->rows++;
	}
	return tabular_write(&s->out, err);
}

static int section_end(void *state, const struct section *section, struct sooth_error *err)
{
	struct json_sink *s = state;

	json_section_end(&s->json, section, s->rows);
	return tabular_write(&s->out, err);
}

static int end(void *state, struct sooth_error *err)
{
	struct json_sink *s = state;
	const struct sink_attachment *a = s->attached;

	if (a && a->text)
		json_format(&s->json, "%s:%.*s", a->key, (int)a->size, a->text);
	json_end(&s->json);
	buffer_char(&s->out.bytes, '\n');
	if (s->json.failed)
		return error_set(err, -EINVAL, SOOTH_FAULT_INTERNAL,
			"write JSON: sections are not nested correctly");
	return tabular_flush(&s->out, err);
}

const struct sink_type sink_json = {
	.name = "json",
	.help = "one JSON object",
	.state_size = sizeof(struct json_sink),
	.open = open_sink,
	.begin = begin,
	.section = section_begin,
	.rows = write_rows,
	.section_end = section_end,
	.end = end,
	.close = tabular_sink_close,
};

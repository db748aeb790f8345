/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One JSON object, or a page, without private data: names of users, hosts and projects, homes,
 * private paths, addresses and arguments are replaced (secrets/redact.h). All rows are kept until
 * the end, because only then all names are known.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sinks/redacted.h"

#include "sinks/redact_record.h"

#define SECTIONS_MAX 128
#define KEPT_MAX     (256u << 20) /* bytes of rows; more is an error: nothing is cut */

extern const struct sink_type sink_json, sink_html;

struct kept_section {
	struct section section;
	struct buffer rows;
};

struct redacted_sink {
	const struct sink_type *type; /* of the format that is written */
	void *inner;
	struct kept_section sections[SECTIONS_MAX];
	size_t count;
	size_t bytes;
	struct report_head head;
	struct redactor redactor;
};

static int open_inner(struct redacted_sink *s, const struct sink_type *type,
	const struct sink_options *options, struct sooth_error *err)
{
	redactor_init(&s->redactor);
	s->type = type;
	s->inner = calloc(1, type->state_size);
	return s->inner ? type->open(s->inner, options, err) : error_no_memory(err);
}

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	return open_inner(state, &sink_json, options, err);
}

static int open_page(void *state, const struct sink_options *options, struct sooth_error *err)
{
	return open_inner(state, &sink_html, options, err);
}

static int begin(void *state, const struct report_head *head, struct sooth_error *err)
{
	struct redacted_sink *s = state;

	(void)err;
	s->head = *head;
	return 0;
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	struct redacted_sink *s = state;

	if (s->count == SECTIONS_MAX)
		return error_set(err, -E2BIG, SOOTH_FAULT_INTERNAL,
			"redact a report of more than %d sections", SECTIONS_MAX);
	s->sections[s->count].section = *section;
	/* These may be local variables of the view, and the section is written after it. */
	s->sections[s->count].section.graph = NULL;
	if (!section->is_last)
		s->sections[s->count].section.if_empty = NULL;
	s->count++;
	return 0;
}

static int write_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct redacted_sink *s = state;
	struct buffer *kept = &s->sections[s->count - 1].rows;

	(void)section;
	s->bytes += batch->size;
	if (s->bytes > KEPT_MAX) {
		error_set(err, -E2BIG, SOOTH_FAULT_USAGE, "redact more than 256 MiB of rows");
		return error_remedy(err, "select fewer processes or a shorter time range");
	}
	buffer_append(kept, batch->data, batch->size);
	return buffer_failed(kept) ? error_no_memory(err) : 0;
}

/* Every format that is wrapped here has these functions. */
static int emit_section(struct redacted_sink *s, struct kept_section *kept, struct sooth_error *err)
{
	struct batch all = { kept->rows.data, kept->rows.size };
	struct buffer written = { 0 };
	int status = s->type->section(s->inner, &kept->section, err);

	batch_for_each (r, &all)
		redact_write_record(&s->redactor, kept->section.schema, r, &written);
	if (!status && buffer_failed(&written))
		status = error_no_memory(err);
	if (!status && written.size)
		status = s->type->rows(s->inner, &kept->section,
			&(struct batch){ written.data, written.size }, err);
	buffer_fini(&written);
	return status ? status : s->type->section_end(s->inner, &kept->section, err);
}

/* Learns the names of a record. Sentences are made from records, and only in a record is the end of
 * a name certain, because a name may have any characters. */
static void learn_of_recording(
	void *state, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct redacted_sink *s = state;

	redact_learn_record(&s->redactor, schema, record);
}

static int end(void *state, struct sooth_error *err)
{
	struct redacted_sink *s = state;
	int status;

	for (size_t i = 0; i < s->count; i++) {
		struct batch all = { s->sections[i].rows.data, s->sections[i].rows.size };

		batch_for_each (r, &all)
			redact_learn_record(&s->redactor, s->sections[i].section.schema, r);
	}
	if (!redactor_is_complete(&s->redactor)) {
		error_set(err, -E2BIG, SOOTH_FAULT_USAGE, "redact so many names of files");
		return error_remedy(err, "select fewer processes or a shorter time range");
	}
	status = s->type->begin(s->inner, &s->head, err);
	for (size_t i = 0; i < s->count && !status; i++)
		status = emit_section(s, &s->sections[i], err);
	for (size_t i = 0; i < s->count; i++)
		buffer_reset(&s->sections[i].rows);
	s->count = 0;
	s->bytes = 0;
	return status ? status : s->type->end(s->inner, err);
}

static void close_sink(void *state)
{
	struct redacted_sink *s = state;

	if (s->inner)
		s->type->close(s->inner);
	free(s->inner);
	for (size_t i = 0; i < SECTIONS_MAX; i++)
		buffer_fini(&s->sections[i].rows);
	redactor_fini(&s->redactor);
}

const struct sink_type sink_redacted = {
	.name = "redacted",
	.help = "one JSON object for sharing: names, paths, addresses, arguments replaced",
	.state_size = sizeof(struct redacted_sink),
	.open = open_sink,
	.begin = begin,
	.section = section_begin,
	.rows = write_rows,
	.record = learn_of_recording,
	.end = end,
	.close = close_sink,
};

const struct sink_type redacted_page_sink = {
	.name = "redacted-html",
	.state_size = sizeof(struct redacted_sink),
	.is_for_people = true,
	.has_room = true,
	.open = open_page,
	.begin = begin,
	.section = section_begin,
	.rows = write_rows,
	.record = learn_of_recording,
	.end = end,
	.close = close_sink,
};

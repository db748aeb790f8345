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

#include "secrets/redact.h"
#include "recognize/script_name.h"

#define SECTIONS_MAX 128
#define FIELDS_MAX   128
#define DEPTH_MAX    8
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

/* --- learning --- */

static void learn_record(struct redactor *r, const struct sooth_schema *schema,
	const struct sooth_record *record, unsigned depth);

static bool is_file_field(const struct sooth_field *f)
{
	return f->placeholder && !strcmp(f->placeholder, "file");
}

static void learn_text(struct redactor *r, const struct sooth_field *f, struct span text)
{
	redactor_learn_paths(r, text);
	if (is_file_field(f) || span_starts(text, "@"))
		redactor_learn_file(r, "file", text);
	else if (f->placeholder)
		redactor_learn_name(r, f->placeholder, text);
}

static void learn_texts(struct redactor *r, const struct sooth_value *v)
{
	for (size_t at = 0; at < v->text.size;) {
		size_t length = strnlen(v->text.data + at, v->text.size - at);

		redactor_learn_paths(r, span_of(v->text.data + at, length));
		at += length + 1;
	}
}

static void learn_field(struct redactor *r, const struct sooth_field *f,
	const struct sooth_record *record, unsigned depth)
{
	struct sooth_value v = sooth_field_get(f, record);
	struct batch rows;

	if (!value_is_there(&v))
		return;
	switch (f->type) {
	case SOOTH_FIELD_TEXT:
	case SOOTH_FIELD_CHARS:
		learn_text(r, f, span_of(v.text.data, v.text.size));
		break;
	case SOOTH_FIELD_ARGS:
		redactor_learn_file(r, "script",
			script_name_of(span_of("", 0), span_of(v.text.data, v.text.size)));
		learn_texts(r, &v);
		break;
	case SOOTH_FIELD_TEXTS:
		learn_texts(r, &v);
		break;
	case SOOTH_FIELD_ROWS:
		rows = field_rows(&v);
		batch_for_each (inner, &rows)
			learn_record(r, f->rows, inner, depth + 1);
		break;
	default:
		break;
	}
}

static void learn_record(struct redactor *r, const struct sooth_schema *schema,
	const struct sooth_record *record, unsigned depth)
{
	for (size_t i = 0; i < schema->field_count && depth < DEPTH_MAX; i++)
		learn_field(r, &schema->fields[i], record, depth);
}

/* --- writing --- */

/* The new texts of a record, and the record that gets them. */
struct rewriting {
	struct redactor *redactor;
	struct buffer fixed; /* header and fixed part of the record */
	struct record_tail tail[FIELDS_MAX];
	struct buffer texts[FIELDS_MAX];
	size_t count;
};

static void write_record(struct redactor *r, const struct sooth_schema *schema,
	const struct sooth_record *record, unsigned depth, struct buffer *out);

static void write_texts(struct redactor *r, const struct sooth_value *v, struct buffer *out)
{
	for (size_t at = 0; at < v->text.size;) {
		size_t length = strnlen(v->text.data + at, v->text.size - at);

		redactor_write(r, span_of(v->text.data + at, length), out);
		buffer_char(out, '\0');
		at += length + 1;
	}
}

static void write_value(struct redactor *r, const struct sooth_field *f,
	const struct sooth_value *v, unsigned depth, struct buffer *out)
{
	struct span text = span_of(v->text.data, v->text.size);
	struct batch rows;

	switch (f->type) {
	case SOOTH_FIELD_ARGS:
		redactor_write_arguments(r, text, out);
		break;
	case SOOTH_FIELD_TEXTS:
		write_texts(r, v, out);
		break;
	case SOOTH_FIELD_LIST:
		buffer_append(out, v->list.data, v->list.count * sizeof(uint32_t));
		break;
	case SOOTH_FIELD_SERIES:
		buffer_append(out, v->list.data, v->list.count * sizeof(double));
		break;
	case SOOTH_FIELD_ROWS:
		rows = field_rows(v);
		batch_for_each (inner, &rows)
			write_record(r, f->rows, inner, depth + 1, out);
		break;
	default:
		if (f->placeholder && !is_file_field(f) && text.size && !redact_is_public(text))
			redactor_number(r, f->placeholder, text, out);
		else
			redactor_write(r, text, out);
		break;
	}
}

/* Writes a name into the fixed part, cut to the size of its member. */
static void write_chars(
	struct rewriting *w, const struct sooth_field *f, const struct sooth_value *v)
{
	unsigned char *at = w->fixed.data + f->offset;
	struct buffer text = { 0 };

	redactor_write(w->redactor, span_of(v->text.data, v->text.size), &text);
	memset(at, 0, f->size);
	if (text.size)
		memcpy(at, text.data, text.size < f->size ? text.size : f->size);
	buffer_fini(&text);
}

static bool is_in_tail(const struct sooth_field *f)
{
	return f->type == SOOTH_FIELD_TEXT || f->type == SOOTH_FIELD_ARGS ||
	       f->type == SOOTH_FIELD_TEXTS || f->type == SOOTH_FIELD_LIST ||
	       f->type == SOOTH_FIELD_ROWS || f->type == SOOTH_FIELD_SERIES;
}

static void rewrite_field(struct rewriting *w, const struct sooth_field *f,
	const struct sooth_record *record, unsigned depth)
{
	struct sooth_value v = sooth_field_get(f, record);
	struct buffer *text = &w->texts[w->count];

	if (!value_is_there(&v))
		return;
	if (f->type == SOOTH_FIELD_CHARS)
		write_chars(w, f, &v);
	if (!is_in_tail(f) || w->count == FIELDS_MAX)
		return;
	write_value(w->redactor, f, &v, depth, text);
	w->tail[w->count++] =
		(struct record_tail){ (void *)(w->fixed.data + f->offset), text->data, text->size };
}

enum rewriting_pass { REWRITE_LISTS, REWRITE_TEXTS, REWRITE_OBJECTS, REWRITE_PASSES };

/* Returns the pass that writes a field: texts first, because names are numbered in that order. */
static enum rewriting_pass pass_of(const struct sooth_field *f)
{
	if (f->type != SOOTH_FIELD_ROWS)
		return REWRITE_TEXTS;
	return f->is_single ? REWRITE_OBJECTS : REWRITE_LISTS;
}

static void reorder_texts(struct rewriting *w, size_t first)
{
	struct record_tail moved[FIELDS_MAX];
	size_t count = w->count - first;

	memcpy(moved, w->tail + first, count * sizeof(*moved));
	memmove(w->tail + count, w->tail, first * sizeof(*moved));
	memcpy(w->tail, moved, count * sizeof(*moved));
}

/* Rewrites the fields. Rows come first in the tail, because they have to be aligned. */
static void rewrite_fields(struct rewriting *w, const struct sooth_schema *schema,
	const struct sooth_record *record, unsigned depth)
{
	size_t objects = 0;

	for (int pass = 0; pass < REWRITE_PASSES; pass++) {
		objects = w->count;
		for (size_t i = 0; i < schema->field_count; i++) {
			if (pass_of(&schema->fields[i]) == (enum rewriting_pass)pass)
				rewrite_field(w, &schema->fields[i], record, depth);
		}
	}
	reorder_texts(w, objects);
}

static void write_record(struct redactor *r, const struct sooth_schema *schema,
	const struct sooth_record *record, unsigned depth, struct buffer *out)
{
	size_t fixed = (size_t)record->fixed_words * SOOTH_RECORD_WORD;
	struct rewriting *w = depth < DEPTH_MAX ? calloc(1, sizeof(*w)) : NULL;

	if (!w)
		return;
	w->redactor = r;
	buffer_append(&w->fixed, record, fixed);
	if (!buffer_failed(&w->fixed)) {
		rewrite_fields(w, schema, record, depth);
		record_append(out, (void *)w->fixed.data, fixed, w->tail, w->count);
	}
	for (size_t i = 0; i < w->count; i++)
		buffer_fini(&w->texts[i]);
	buffer_fini(&w->fixed);
	free(w);
}

/* Every format that is wrapped here has these functions. */
static int emit_section(struct redacted_sink *s, struct kept_section *kept, struct sooth_error *err)
{
	struct batch all = { kept->rows.data, kept->rows.size };
	struct buffer written = { 0 };
	int status = s->type->section(s->inner, &kept->section, err);

	batch_for_each (r, &all)
		write_record(&s->redactor, kept->section.schema, r, 0, &written);
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

	learn_record(&s->redactor, schema, record, 0);
}

static int end(void *state, struct sooth_error *err)
{
	struct redacted_sink *s = state;
	int status;

	for (size_t i = 0; i < s->count; i++) {
		struct batch all = { s->sections[i].rows.data, s->sections[i].rows.size };

		batch_for_each (r, &all)
			learn_record(&s->redactor, s->sections[i].section.schema, r, 0);
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

/* SPDX-License-Identifier: BSD-2-Clause */
#include "sinks/redact_record.h"

#include <stdlib.h>
#include <string.h>

#include "model/batch.h"
#include "model/field.h"
#include "recognize/script_name.h"

#define FIELDS_MAX 128
#define DEPTH_MAX  8

/* --- learning --- */

static void learn_record(struct redactor *r, const struct sooth_schema *schema,
	const struct sooth_record *record, unsigned depth);

static bool is_file_field(const struct sooth_field *f)
{
	return f->placeholder && !strcmp(f->placeholder, "file");
}

static bool is_never_private(const struct sooth_field *f)
{
	return f->placeholder && !*f->placeholder;
}

static void learn_text(struct redactor *r, const struct sooth_field *f, struct span text)
{
	if (is_never_private(f))
		return;
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
		if (is_never_private(f))
			buffer_append(out, text.data, text.size);
		else if (f->placeholder && !is_file_field(f) && text.size &&
			 (r->key || !redact_is_public(text)))
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

void redact_learn_record(
	struct redactor *r, const struct sooth_schema *schema, const struct sooth_record *record)
{
	learn_record(r, schema, record, 0);
}

void redact_write_record(struct redactor *r, const struct sooth_schema *schema,
	const struct sooth_record *record, struct buffer *out)
{
	write_record(r, schema, record, 0, out);
}

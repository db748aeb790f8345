/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields as JSON. */
#include "sinks/json_members.h"

#include <assert.h>
#include <string.h>

#include "model/errno_names.h"
#include "model/schema.h"

static void write_keyed(
	struct json *j, const struct sooth_schema *schema, const struct sooth_record *r);

/* Writes an argument list as one text, because the contract's `command` is a text. */
static void write_args(struct json *j, const struct sooth_value *v)
{
	struct buffer text = { 0 };
	size_t size = args_shown(v->text.data, v->text.size);

	if (size && !v->text.data[size - 1])
		size--;
	buffer_append(&text, v->text.data, size);
	for (size_t i = 0; i < text.size; i++) {
		if (!text.data[i])
			text.data[i] = ' ';
	}
	json_chars(j, (const char *)text.data, text.size);
	buffer_fini(&text);
}

static void write_list(struct json *j, const struct sooth_value *v)
{
	json_begin_array(j);
	for (size_t i = 0; i < v->list.count; i++) {
		uint32_t number;

		memcpy(&number, v->list.data + i * sizeof(number), sizeof(number));
		json_u64(j, number);
	}
	json_end(j);
}

/* Writes a series. A gap, in which nothing was measured, is null. */
static void write_series(
	struct json *j, const struct sooth_field *field, const struct sooth_value *v)
{
	json_begin_array(j);
	for (size_t i = 0; i < v->list.count; i++)
		json_f64(j, series_at(v, i), field->decimals);
	json_end(j);
}

/* Returns the name of an enum or errno value; NULL: the value has no name, or is neither. */
static const char *name_of(const struct sooth_field *f, uint64_t number)
{
	if (f->type == SOOTH_FIELD_ERRNO)
		return errno_name(number);
	return f->type == SOOTH_FIELD_ENUM && f->names && number < f->names->count
		       ? f->names->names[number]
		       : NULL;
}

struct cell cell_of_value(const struct sooth_field *f, const struct sooth_value *v)
{
	const char *name;

	assert(f);
	assert(v);
	switch (f->type) {
	case SOOTH_FIELD_SIGNED:
		return (struct cell){ .type = CELL_SIGNED, .i = v->i };
	case SOOTH_FIELD_REAL:
		return (struct cell){ .type = CELL_REAL, .decimals = f->decimals, .f = v->f };
	case SOOTH_FIELD_BOOL:
		return (struct cell){ .type = CELL_BOOL, .u = v->u != 0 };
	case SOOTH_FIELD_TEXT:
	case SOOTH_FIELD_CHARS:
		return (struct cell){
			.type = CELL_TEXT, .text = v->text.data, .size = v->text.size
		};
	case SOOTH_FIELD_UNSIGNED:
	case SOOTH_FIELD_ENUM:
	case SOOTH_FIELD_ERRNO:
		name = name_of(f, v->u);
		return name ? (struct cell){ .type = CELL_TEXT, .text = name, .size = strlen(name) }
			    : (struct cell){ .type = CELL_UNSIGNED, .u = v->u };
	default: /* a list */
		return (struct cell){ .type = CELL_NONE };
	}
}

void json_cell(struct json *j, const struct cell *c)
{
	assert(c);
	switch (c->type) {
	case CELL_NONE:
		json_nothing(j);
		break;
	case CELL_SIGNED:
		json_i64(j, c->i);
		break;
	case CELL_UNSIGNED:
		json_u64(j, c->u);
		break;
	case CELL_REAL:
		json_f64(j, c->f, c->decimals);
		break;
	case CELL_BOOL:
		json_bool(j, c->u != 0);
		break;
	case CELL_TEXT:
		json_chars(j, c->text, c->size);
		break;
	case CELL_JSON:
		json_written(j, c->text, c->size);
		break;
	}
}

static void write_texts(struct json *j, const struct sooth_value *v)
{
	json_begin_array(j);
	for (size_t at = 0; at < v->text.size;) {
		size_t length = strnlen(v->text.data + at, v->text.size - at);

		json_chars(j, v->text.data + at, length);
		at += length + 1;
	}
	json_end(j);
}

/* Writes the first field of a row as the key of its member. */
static void write_row_key(
	struct json *j, const struct sooth_schema *schema, const struct sooth_record *r)
{
	struct sooth_value v = sooth_field_get(&schema->fields[0], r);
	struct buffer key = { 0 };

	value_format(&key, &schema->fields[0], &v);
	json_key(j, buffer_cstr(&key));
	buffer_fini(&key);
}

static void write_if_there(struct json *j, const struct sooth_field *f, const struct sooth_value *v)
{
	if (value_is_there(v))
		json_value(j, f, v);
	else
		json_nothing(j);
}

/* Writes a row of two fields as one member: {"file": 40}. */
static void write_pair(
	struct json *j, const struct sooth_schema *schema, const struct sooth_record *r)
{
	struct sooth_value value = sooth_field_get(&schema->fields[1], r);

	write_row_key(j, schema, r);
	write_if_there(j, &schema->fields[1], &value);
}

static void write_keyed_rows(
	struct json *j, const struct sooth_schema *schema, const struct batch *rows)
{
	json_begin_object(j);
	batch_for_each (r, rows) {
		if (schema->field_count == 2)
			write_pair(j, schema, r);
		else
			write_keyed(j, schema, r);
	}
	json_end(j);
}

static void write_rows(struct json *j, const struct sooth_field *f, const struct sooth_value *v)
{
	struct batch rows = field_rows(v);

	if (f->is_keyed) {
		write_keyed_rows(j, f->rows, &rows);
		return;
	}
	if (!f->is_single)
		json_begin_array(j);
	batch_for_each (r, &rows) {
		json_begin_object(j);
		json_members(j, f->rows, r);
		json_end(j);
		if (f->is_single)
			return;
	}
	if (f->is_single)
		json_nothing(j);
	else
		json_end(j);
}

void json_value(struct json *j, const struct sooth_field *f, const struct sooth_value *v)
{
	struct cell cell;

	assert(f);
	assert(v);
	switch (f->type) {
	case SOOTH_FIELD_ARGS:
		write_args(j, v);
		break;
	case SOOTH_FIELD_TEXTS:
		write_texts(j, v);
		break;
	case SOOTH_FIELD_ROWS:
		write_rows(j, f, v);
		break;
	case SOOTH_FIELD_LIST:
	case SOOTH_FIELD_HISTOGRAM:
		write_list(j, v);
		break;
	case SOOTH_FIELD_SERIES:
		write_series(j, f, v);
		break;
	default:
		cell = cell_of_value(f, v);
		json_cell(j, &cell);
		break;
	}
}

/* Writes why values are missing. An absent value needs no reason: it is a plain null. */
static void write_states(
	struct json *j, const struct sooth_schema *schema, const struct sooth_record *r)
{
	bool is_open = false;

	for (size_t i = 0; i < schema->field_count; i++) {
		const struct sooth_field *f = &schema->fields[i];
		struct sooth_value v = sooth_field_get(f, r);

		if (v.state == SOOTH_STATE_VALUE || v.state == SOOTH_STATE_ABSENT)
			continue;
		if (!is_open) {
			json_format(j, "'not_measured':{");
			is_open = true;
		}
		json_format(j, "%s:%s", f->name, value_state_text(&v));
	}
	if (is_open)
		json_end(j);
}

static void write_members(struct json *j, const struct sooth_schema *schema,
	const struct sooth_record *r, size_t first)
{
	struct buffer key = { 0 };
	bool has_states = false;

	if (schema_row_key(&key, schema, r)) {
		json_key(j, "key");
		json_chars(j, buffer_cstr(&key), key.size);
	}
	buffer_fini(&key);
	for (size_t i = first; i < schema->field_count; i++) {
		const struct sooth_field *f = &schema->fields[i];
		struct sooth_value v = sooth_field_get(f, r);

		has_states |= v.state != SOOTH_STATE_VALUE && v.state != SOOTH_STATE_ABSENT;
		json_key(j, f->name);
		write_if_there(j, f, &v);
	}
	if (has_states)
		write_states(j, schema, r);
}

void json_members(struct json *j, const struct sooth_schema *schema, const struct sooth_record *r)
{
	write_members(j, schema, r, 0);
}

/* Writes a row as a member: the first field is the key, the others are in the object. */
static void write_keyed(
	struct json *j, const struct sooth_schema *schema, const struct sooth_record *r)
{
	write_row_key(j, schema, r);
	json_begin_object(j);
	write_members(j, schema, r, 1);
	json_end(j);
}

static bool is_array(const struct section *section)
{
	return section->shape == SECTION_TABLE || section->shape == SECTION_STREAM;
}

void json_section_begin(struct json *j, const struct section *section)
{
	assert(section);
	if (section->shape != SECTION_INLINE)
		json_key(j, section->name);
	if (is_array(section))
		json_begin_array(j);
	if (section->shape == SECTION_KEYED)
		json_begin_object(j);
}

void json_section_row(struct json *j, const struct section *section, const struct sooth_record *row)
{
	assert(section);
	if (section->shape == SECTION_KEYED) {
		write_keyed(j, section->schema, row);
		return;
	}
	if (section->shape != SECTION_INLINE)
		json_begin_object(j);
	json_members(j, section->schema, row);
	if (section->shape != SECTION_INLINE)
		json_end(j);
}

void json_section_end(struct json *j, const struct section *section, size_t rows)
{
	assert(section);
	if (is_array(section) || section->shape == SECTION_KEYED)
		json_end(j);
	else if (section->shape == SECTION_OBJECT && !rows)
		json_nothing(j);
}

void json_schema_member(struct json *j, const char *name, unsigned version)
{
	json_format(j, "'schema':{'name':%s,'version':%u}", name, version);
}

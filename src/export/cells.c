/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Converts values of fields to the few types that other table formats have: an enum or errno to its
 * name, a list to JSON. Texts come from targets: invalid UTF-8 and NUL become U+FFFD, because
 * readers of databases refuse them.
 */
#include <string.h>

#include "base/escape.h"
#include "base/units.h"
#include "export/tables.h"
#include "model/field.h"
#include "probes/syscall_names.h"

#define REPLACEMENT "\xef\xbf\xbd"

static struct cell cell_of_text(const char *text, size_t size)
{
	return (struct cell){ .type = CELL_TEXT, .text = text, .size = size };
}

static struct cell cell_of_name(const char *name)
{
	return cell_of_text(name, strlen(name));
}

static size_t clean_length(const char *text, size_t size)
{
	size_t at = 0;

	while (at < size) {
		size_t length = text[at] ? utf8_length(text + at, size - at) : 0;

		if (!length)
			break;
		at += length;
	}
	return at;
}

/* Makes the cell of a text; most texts need no replacement. */
static struct cell cell_of_foreign_text(const char *text, size_t size, struct buffer *scratch)
{
	size_t at = clean_length(text, size);

	if (at == size)
		return cell_of_text(text, size);
	buffer_reset(scratch);
	for (size_t from = 0; from < size; from += at + 1) {
		at = clean_length(text + from, size - from);
		buffer_append(scratch, text + from, at);
		if (from + at < size)
			buffer_string(scratch, REPLACEMENT);
	}
	return cell_of_text((const char *)scratch->data, scratch->size);
}

/* Makes the cell of a command line, quoted as for a shell. */
static struct cell cell_of_args(
	const struct sooth_field *f, const struct sooth_value *v, struct buffer *scratch)
{
	struct sooth_value whole = *v;

	whole.state = SOOTH_STATE_VALUE;
	buffer_reset(scratch);
	value_format(scratch, f, &whole);
	return cell_of_text((const char *)scratch->data, scratch->size);
}

static struct cell cell_of_json(
	const struct sooth_field *f, const struct sooth_value *v, struct buffer *scratch)
{
	struct json json;

	buffer_reset(scratch);
	json_init(&json, scratch, 0);
	json_value(&json, f, v);
	return (struct cell){
		.type = CELL_JSON, .text = (const char *)scratch->data, .size = scratch->size
	};
}

static struct cell cell_of_unsigned(uint64_t u)
{
	return (struct cell){ .type = CELL_UNSIGNED, .u = u };
}

static struct cell cell_of_field(
	const struct sooth_field *f, const struct sooth_record *r, struct buffer *scratch)
{
	struct sooth_value v = sooth_field_get(f, r);
	struct cell cell;

	if (!value_is_there(&v) || (f->type == SOOTH_FIELD_ERRNO && !v.u))
		return (struct cell){ .type = CELL_NONE };
	switch (f->type) {
	case SOOTH_FIELD_TEXT:
	case SOOTH_FIELD_CHARS:
		return cell_of_foreign_text(v.text.data, v.text.size, scratch);
	case SOOTH_FIELD_ARGS:
		return cell_of_args(f, &v, scratch);
	case SOOTH_FIELD_TEXTS:
	case SOOTH_FIELD_ROWS:
	case SOOTH_FIELD_LIST:
	case SOOTH_FIELD_HISTOGRAM:
	case SOOTH_FIELD_SERIES:
		return cell_of_json(f, &v, scratch);
	default:
		cell = cell_of_value(f, &v);
		cell.decimals = DECIMALS_EXACT;
		return cell;
	}
}

/* Makes the cell of a header member; these have no state byte: a special value means none. */
static struct cell cell_of_header(const struct sooth_field *f, const struct sooth_record *r)
{
	struct sooth_value v = sooth_field_get(f, r);
	bool is_of_host = !r->pid && !r->start_ticks;

	if (f->offset == offsetof(struct sooth_record, cpu) ? v.u == SOOTH_CPU_NONE
		: f->offset == offsetof(struct sooth_record, start_ticks) ||
				f->offset == offsetof(struct sooth_record, pid)
			? is_of_host
			: !v.u)
		return (struct cell){ .type = CELL_NONE };
	return cell_of_unsigned(v.u);
}

static uint64_t number_of(const struct table *t, const char *name, const struct sooth_record *r)
{
	struct sooth_value v = sooth_field_get(sooth_schema_field(t->schema, name), r);

	return v.state == SOOTH_STATE_VALUE ? v.u : UINT32_MAX;
}

static struct cell cell_of_call(const struct table *t, const struct column *c,
	const struct sooth_record *r, struct buffer *scratch)
{
	unsigned abi = (unsigned)number_of(t, "abi", r);
	uint32_t number = (uint32_t)number_of(t, "number", r);
	const struct syscall_row *row = syscall_by_number(abi, number);
	char name[SYSCALL_NAME_SIZE];

	if (c->source == COLUMN_CATEGORY)
		return cell_of_name(syscall_category_name(
			row ? row->category : (unsigned)SYSCALL_CATEGORY_OTHER));
	if (row && abi == SYSCALL_ABI_X86_64)
		return cell_of_name(
			row->name); /* as syscall_name() has it, without formatting it again */
	buffer_reset(scratch);
	buffer_append(scratch, name, syscall_name(abi, number, name));
	return cell_of_text((const char *)scratch->data, scratch->size);
}

/* Returns whether a field may have no value. A field without a state has a value, unless it lies in
 * a damaged part of the record. */
static bool may_have_no_value(const struct sooth_field *f)
{
	return f->state_offset || f->type == SOOTH_FIELD_TEXT || f->type == SOOTH_FIELD_ARGS ||
	       f->type == SOOTH_FIELD_LIST || f->type == SOOTH_FIELD_TEXTS ||
	       f->type == SOOTH_FIELD_ROWS;
}

static struct cell cell_of_states(
	const struct table *t, const struct sooth_record *r, struct buffer *scratch)
{
	struct cell cell = { .type = CELL_NONE };
	struct json json;

	for (size_t i = 0; i < t->column_count; i++) {
		const struct sooth_field *f = t->columns[i].field;
		struct sooth_value v;

		if (t->columns[i].source != COLUMN_FIELD || !may_have_no_value(f))
			continue;
		v = sooth_field_get(f, r);
		if (v.state == SOOTH_STATE_VALUE || v.state == SOOTH_STATE_ABSENT)
			continue;
		if (cell.type == CELL_NONE) {
			buffer_reset(scratch);
			json_init(&json, scratch, 0);
			json_begin_object(&json);
			cell.type = CELL_JSON;
		}
		json_key(&json, f->name);
		json_cstring(&json, value_state_text(&v));
	}
	if (cell.type == CELL_NONE)
		return cell;
	json_end(&json);
	cell.text = (const char *)scratch->data;
	cell.size = scratch->size;
	return cell;
}

struct cell cell_get(const struct table *t, const struct column *c, const struct sooth_record *r,
	struct buffer *scratch)
{
	switch (c->source) {
	case COLUMN_HEADER:
		return cell_of_header(c->field, r);
	case COLUMN_CALL:
	case COLUMN_CATEGORY:
		return cell_of_call(t, c, r, scratch);
	case COLUMN_NOT_MEASURED:
		return cell_of_states(t, r, scratch);
	default:
		return cell_of_field(c->field, r, scratch);
	}
}

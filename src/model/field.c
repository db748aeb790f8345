/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Getting a field's value out of a record from any writer: a build with fewer
 * or more fields, a damaged file, a hostile one.
 */
#include "model/field.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "model/batch.h"

static uint64_t load_unsigned(const unsigned char *at, size_t size)
{
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (size) {
	case 1:
		memcpy(&u8, at, 1);
		return u8;
	case 2:
		memcpy(&u16, at, 2);
		return u16;
	case 4:
		memcpy(&u32, at, 4);
		return u32;
	default:
		memcpy(&u64, at, 8);
		return u64;
	}
}

static int64_t load_signed(const unsigned char *at, size_t size)
{
	uint64_t raw = load_unsigned(at, size);

	return size == 4 ? (int32_t)(uint32_t)raw : (int64_t)raw;
}

static void value_fail(struct sooth_value *v)
{
	v->state = SOOTH_STATE_NOT_MEASURED;
	v->reason = SOOTH_REASON_FAILED;
	v->text.data = NULL;
	v->text.size = 0;
}

static void load_tail(
	struct sooth_value *v, const struct sooth_record *record, const unsigned char *at)
{
	const unsigned char *base = (const unsigned char *)record;
	struct sooth_text text;

	memcpy(&text, at, sizeof(text));
	if (text.offset > record_bytes(record) || text.size > record_bytes(record) - text.offset) {
		value_fail(v);
		return;
	}
	if (v->type == SOOTH_FIELD_LIST || v->type == SOOTH_FIELD_SERIES) {
		v->list.data = base + text.offset;
		v->list.count = text.size /
				(v->type == SOOTH_FIELD_LIST ? sizeof(uint32_t) : sizeof(double));
		return;
	}
	v->text.data = (const char *)base + text.offset;
	v->text.size = text.size;
}

static void load_value(
	struct sooth_value *v, const struct sooth_field *field, const struct sooth_record *record)
{
	const unsigned char *at = (const unsigned char *)record + field->offset;

	switch (field->type) {
	case SOOTH_FIELD_SIGNED:
		v->i = load_signed(at, field->size);
		break;
	case SOOTH_FIELD_REAL:
		memcpy(&v->f, at, sizeof(v->f));
		break;
	case SOOTH_FIELD_TEXT:
	case SOOTH_FIELD_ARGS:
	case SOOTH_FIELD_LIST:
	case SOOTH_FIELD_TEXTS:
	case SOOTH_FIELD_ROWS:
	case SOOTH_FIELD_SERIES:
		load_tail(v, record, at);
		break;
	case SOOTH_FIELD_CHARS:
		v->text.data = (const char *)at;
		v->text.size = strnlen((const char *)at, field->size);
		break;
	case SOOTH_FIELD_HISTOGRAM:
		v->list.data = at;
		v->list.count = field->size / sizeof(uint32_t);
		break;
	default:
		v->u = load_unsigned(at, field->size);
		break;
	}
}

struct sooth_value sooth_field_get(
	const struct sooth_field *field, const struct sooth_record *record)
{
	struct sooth_value v = { .type = field->type };
	size_t fixed = (size_t)record->fixed_words * SOOTH_RECORD_WORD;
	uint8_t state = 0;

	if ((size_t)field->offset + field->size > fixed || field->state_offset >= fixed) {
		v.state = SOOTH_STATE_ABSENT;
		return v;
	}
	if (field->state_offset)
		state = ((const unsigned char *)record)[field->state_offset];
	v.state = state & 0xf;
	v.reason = state >> 4;
	if (v.state > SOOTH_STATE_NOT_MEASURED || v.reason > SOOTH_REASON_EXPENSIVE)
		value_fail(&v);
	if (value_is_there(&v))
		load_value(&v, field, record);
	return v;
}

const struct sooth_field *sooth_schema_field(const struct sooth_schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->field_count; i++) {
		if (!strcmp(schema->fields[i].name, name))
			return &schema->fields[i];
	}
	return NULL;
}

struct sooth_value value_named(
	const struct sooth_schema *schema, const struct sooth_record *row, const char *name)
{
	const struct sooth_field *field = row ? sooth_schema_field(schema, name) : NULL;

	return field ? sooth_field_get(field, row)
		     : (struct sooth_value){ .state = SOOTH_STATE_ABSENT };
}

struct sooth_value value_in_first_row(const struct sooth_schema *schema,
	const struct sooth_record *row, const char *rows, const char *name,
	const struct sooth_field **field)
{
	struct sooth_value v = value_named(schema, row, rows);
	const struct sooth_record *first =
		value_is_there(&v) && v.type == SOOTH_FIELD_ROWS ? sooth_rows_next(&v, NULL) : NULL;

	*field = first ? sooth_schema_field(sooth_schema_field(schema, rows)->rows, name) : NULL;
	return *field ? sooth_field_get(*field, first)
		      : (struct sooth_value){ .state = SOOTH_STATE_ABSENT };
}

struct span text_named(
	const struct sooth_schema *schema, const struct sooth_record *row, const char *name)
{
	struct sooth_value v = value_named(schema, row, name);

	return value_is_there(&v) ? span_of(v.text.data, v.text.size) : span_of("", 0);
}

bool copy_named(const struct sooth_schema *schema, const struct sooth_record *row, const char *name,
	char *out, size_t size)
{
	struct sooth_value v = value_named(schema, row, name);
	bool is_there = value_is_there(&v);

	snprintf(out, size, "%.*s", is_there ? (int)v.text.size : 0, is_there ? v.text.data : "");
	return is_there;
}

const char *sooth_reason_text(enum sooth_reason reason)
{
	static const char *const texts[] = {
		[SOOTH_REASON_NONE] = "no reason recorded",
		[SOOTH_REASON_PERMISSION] = "permission denied",
		[SOOTH_REASON_ENDED] = "the process exited before sooth could read this",
		[SOOTH_REASON_UNSUPPORTED] = "not available on this system",
		[SOOTH_REASON_INTERVAL] = "this value needs two samples",
		[SOOTH_REASON_NOT_REQUESTED] = "not requested",
		[SOOTH_REASON_FAILED] = "could not be read",
		[SOOTH_REASON_NOT_JUDGED] = "this version of sooth does not check it",
		[SOOTH_REASON_BLOCKED] = "no answer from the kernel (dead mount or stuck device)",
		[SOOTH_REASON_UNSEEN] = "entered before attach",
		[SOOTH_REASON_COVERED] = "the process overwrote its command line",
		[SOOTH_REASON_AGENT] = "the agent does not report it",
		[SOOTH_REASON_UNDECIDED] = "the data that sooth could read is not enough to decide",
		[SOOTH_REASON_EXPENSIVE] = "reading it takes too long",
	};

	return (size_t)reason < sizeof(texts) / sizeof(texts[0]) ? texts[reason] : texts[0];
}

double series_at(const struct sooth_value *value, size_t i)
{
	double v;

	assert(value);
	memcpy(&v, value->list.data + i * sizeof(v), sizeof(v));
	return v;
}

const char *value_state_text(const struct sooth_value *v)
{
	assert(v);
	if (v->state == SOOTH_STATE_TRUNCATED)
		return "truncated";
	if (v->state == SOOTH_STATE_REDACTED)
		return "redacted";
	return sooth_reason_text(v->reason);
}

struct batch field_rows(const struct sooth_value *value)
{
	assert(value);

	struct batch rows = { (const unsigned char *)value->text.data, value->text.size };

	if ((uintptr_t)rows.data % SOOTH_RECORD_WORD || batch_check(&rows) < 0)
		return (struct batch){ 0 };
	return rows;
}

const struct sooth_record *sooth_rows_next(
	const struct sooth_value *rows, const struct sooth_record *before)
{
	bool has_rows = rows->type == SOOTH_FIELD_ROWS && value_is_there(rows);
	struct batch all = has_rows ? field_rows(rows) : (struct batch){ 0 };
	const unsigned char *at = all.data;

	if (!all.size)
		return NULL;
	if (before)
		at = (const unsigned char *)before + record_bytes(before);
	return at < (const unsigned char *)all.data + all.size ? (const void *)at : NULL;
}

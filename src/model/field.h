/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing field tables: where a member and its state are. */
#pragma once

#include <sooth/field.h>
#include "base/buffer.h"
#include "base/cursor.h"
#include "model/batch.h"

#define FIELD_AT(type_, member)                                                                    \
	.offset = offsetof(struct type_, member), .size = sizeof(((struct type_ *)0)->member)
#define FIELD_STATE_AT(type_, member) .state_offset = offsetof(struct type_, member)

/* Shorthands for the most frequent rows; other rows are written out. ..._AS: the name of the field
 * differs from that of the member. */
#define FIELD_OF(kind, type_, member, name_, help_, ...)                                           \
	{                                                                                          \
		.name = #name_, .type = SOOTH_FIELD_##kind, FIELD_AT(type_, member),               \
		.help = help_, __VA_ARGS__                                                         \
	}
#define FIELD_NUMBER_AS(...) FIELD_OF(UNSIGNED, __VA_ARGS__)
#define FIELD_NUMBER(type_, member, help_, ...)                                                    \
	FIELD_NUMBER_AS(type_, member, member, help_, __VA_ARGS__)
#define FIELD_STRING_AS(...) FIELD_OF(TEXT, __VA_ARGS__)
#define FIELD_STRING(type_, member, help_, ...)                                                    \
	FIELD_STRING_AS(type_, member, member, help_, __VA_ARGS__)
#define FIELD_TRUTH_AS(...) FIELD_OF(BOOL, __VA_ARGS__)
#define FIELD_TRUTH(type_, member, help_, ...)                                                     \
	FIELD_TRUTH_AS(type_, member, member, help_, __VA_ARGS__)
/* A field whose state byte is the member `state_`. */
#define FIELD_AS_WITH(kind, type_, member, name_, state_, ...)                                     \
	FIELD_OF(kind, type_, member, name_, __VA_ARGS__, FIELD_STATE_AT(type_, state_))
#define FIELD_WITH(kind, type_, member, state_, ...)                                               \
	FIELD_AS_WITH(kind, type_, member, member, state_, __VA_ARGS__)
#define FIELD_PID(type_)                                                                           \
	{                                                                                          \
		.name = "pid", .type = SOOTH_FIELD_UNSIGNED, FIELD_AT(type_, record.pid),          \
		.help = "process id in the pid namespace of sooth"                                 \
	}
#define FIELD_TID(type_)                                                                           \
	{                                                                                          \
		.name = "tid", .type = SOOTH_FIELD_UNSIGNED, FIELD_AT(type_, record.tid),          \
		.help = "thread id in the pid namespace of sooth", .is_hidden = true               \
	}

/* Returns whether there is a value to read, whole or cut. */
static inline bool value_is_there(const struct sooth_value *value)
{
	return value->state == SOOTH_STATE_VALUE || value->state == SOOTH_STATE_TRUNCATED;
}

/* Returns the state byte of a member: it has a value, or the value is absent. */
static inline uint8_t state_if(bool is_there)
{
	return is_there ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
}

/* Returns whether a state byte says that the value was not measured, for any reason. */
static inline bool state_is_unmeasured(uint8_t state)
{
	return (state & 15) == SOOTH_STATE_NOT_MEASURED;
}

/* Returns the value of a row's field by name; absent: no row, no such field, or no value. */
struct sooth_value value_named(
	const struct sooth_schema *schema, const struct sooth_record *row, const char *name);
/* The same of the first row in the field `rows`. *field: its field; NULL: there is no such row. */
struct sooth_value value_in_first_row(const struct sooth_schema *schema,
	const struct sooth_record *row, const char *rows, const char *name,
	const struct sooth_field **field);
/* Returns the text of a field of type TEXT by name; empty: no value. */
struct span text_named(
	const struct sooth_schema *schema, const struct sooth_record *row, const char *name);
/* Copies that text, shortened to `size`. Returns whether there is a value. */
bool copy_named(const struct sooth_schema *schema, const struct sooth_record *row, const char *name,
	char *out, size_t size);

/* Returns the records of a ROWS value, empty if they are invalid. The value's text is 8-byte
 * aligned if this build made it. */
struct batch field_rows(const struct sooth_value *value);
/* Returns number i of a SERIES value; i is below its count. */
double series_at(const struct sooth_value *value, size_t i);

#define FIELD_LABEL_SIZE 64

/* Writes the heading of a field's column for people ("RSS", "LAST ACTIVE"). Formats for programs
 * use the name of the field. */
void field_label(const struct sooth_field *field, char out[FIELD_LABEL_SIZE]);
/* Returns how many bytes of an argument list to show: without the blanks after a title that the
 * process wrote over its arguments. */
size_t args_shown(const char *data, size_t size);
/* Returns why a value is missing or cut; for states other than VALUE and ABSENT. */
const char *value_state_text(const struct sooth_value *value);
/* Appends a value as text for people (units, states in words), escaped for a terminal. */
void value_format(
	struct buffer *out, const struct sooth_field *field, const struct sooth_value *value);

/* A parsed line template, so that its fields are not looked up for each record. */
#define LINE_PARTS_MAX 64
#define LINE_DEPTH_MAX 4 /* nested [...] */

enum line_part_kind { LINE_TEXT, LINE_FIELD, LINE_OPEN, LINE_CLOSE };

struct line_part {
	enum line_part_kind kind;
	const char *text; /* borrowed from the template; after a field, the noun it counts */
	size_t size;
	const struct sooth_field *field;
};

struct line_plan {
	struct line_part parts[LINE_PARTS_MAX];
	size_t count;
	bool says_reasons; /* print why a value was not measured instead of "?" */
};

/* Parses schema->line, which must not be NULL. */
void line_plan(struct line_plan *plan, const struct sooth_schema *schema);
/* Appends the line of a record by the template, escaped for a terminal. */
void line_format(
	struct buffer *out, const struct line_plan *plan, const struct sooth_record *record);

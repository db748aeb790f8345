/* SPDX-License-Identifier: BSD-2-Clause */
/* The schemas of the stream's own kinds, and the text form in which a capture keeps any schema. */
#pragma once

#include "model/field.h"
#include "model/stream_records.h"

extern const struct sooth_schema *const stream_schemas[]; /* NULL at the end */

/* Appends the `fields` text of struct stream_schema. */
void schema_describe(struct buffer *out, const struct sooth_schema *schema);

/* Appends the key of a row, which is unique in its section and process: the values of its key
 * fields, with blanks between. The same object has the same key in each sample of the process, so
 * that samples can be compared. False when the schema has no key. */
bool schema_row_key(
	struct buffer *out, const struct sooth_schema *schema, const struct sooth_record *row);

#define SCHEMA_FIELDS(table) .fields = (table), .field_count = sizeof(table) / sizeof((table)[0])

/* Defines id_schema for records of struct id_, whose size in captures is `bytes`. Other members of
 * struct sooth_schema may follow `table`. */
#define RECORD_SCHEMA(id_, bytes, name_, kind_, class__, table, ...)                               \
	_Static_assert(sizeof(struct id_) == (bytes), "the layout is part of the capture format"); \
	static const struct sooth_schema id_##_schema = { .name = name_,                           \
		.kind = kind_,                                                                     \
		.class_ = SOOTH_CLASS_##class__,                                                   \
		.fixed_size = sizeof(struct id_),                                                  \
		SCHEMA_FIELDS(table),                                                              \
		__VA_ARGS__ }

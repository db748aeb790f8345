/* SPDX-License-Identifier: BSD-2-Clause */
/* The schemas of the stream's own kinds, and the text form in which a capture keeps any schema. */
#ifndef SOOTH_MODEL_SCHEMA_H
#define SOOTH_MODEL_SCHEMA_H

#include "model/field.h"
#include "model/stream_records.h"

extern const struct sooth_schema *const stream_schemas[]; /* NULL at the end */

/* The `fields` text of struct stream_schema. */
void schema_describe(struct buffer *out, const struct sooth_schema *schema);

/*
 * The name of a row among the others of its section and process: the values of its key fields,
 * blanks between. The same thing has the same key in another reading of the process, so that
 * readings can be compared. False when the schema has no key.
 */
bool schema_row_key(
	struct buffer *out, const struct sooth_schema *schema, const struct sooth_record *row);

#define SCHEMA_FIELDS(table) .fields = (table), .field_count = sizeof(table) / sizeof((table)[0])

/* id_schema, of records that are a struct id_; behind the table more of struct sooth_schema. */
#define RECORD_SCHEMA(id_, name_, kind_, class__, table, ...)                                      \
	static const struct sooth_schema id_##_schema = { .name = name_,                           \
		.kind = kind_,                                                                     \
		.class_ = class__,                                                                 \
		.fixed_size = sizeof(struct id_),                                                  \
		SCHEMA_FIELDS(table),                                                              \
		__VA_ARGS__ }

#endif

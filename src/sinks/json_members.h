/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows as JSON members, for the JSON sinks. */
#pragma once

#include "base/json.h"
#include "explain/sink.h"

enum cell_type {
	CELL_NONE,
	CELL_SIGNED,
	CELL_UNSIGNED,
	CELL_REAL,
	CELL_BOOL,
	CELL_TEXT,
	CELL_JSON
};

/* A value, as one of the few types that every format has. */
struct cell {
	enum cell_type type;
	unsigned decimals; /* decimals of a real */
	union {
		int64_t i;
		uint64_t u;
		double f;
	};
	const char *text; /* borrowed */
	size_t size;
};

/* Returns the cell of a measured value; a number with a name becomes the name. Exported tables
 * differ: error 0 is no value, reals have all digits, and texts have no NUL. */
struct cell cell_of_value(const struct sooth_field *f, const struct sooth_value *v);
void json_cell(struct json *j, const struct cell *c);
/* Writes a measured value. */
void json_value(struct json *j, const struct sooth_field *f, const struct sooth_value *v);
/* Writes the fields of a record as members of the open object. A field that was not measured is
 * null, with the reason in the member "not_measured". */
void json_members(struct json *j, const struct sooth_schema *schema, const struct sooth_record *r);
/* Write a section of a report as members of the open object: its name and an array or object, or
 * only its fields. The caller counts the rows for the end: a single row that never came is null.
 */
void json_section_begin(struct json *j, const struct section *section);
void json_section_row(
	struct json *j, const struct section *section, const struct sooth_record *row);
void json_section_end(struct json *j, const struct section *section, size_t rows);
void json_schema_member(struct json *j, const char *name, unsigned version);

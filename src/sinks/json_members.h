/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows as JSON members, for the JSON sinks. */
#ifndef SOOTH_SINKS_JSON_MEMBERS_H
#define SOOTH_SINKS_JSON_MEMBERS_H

#include "base/json.h"
#include "explain/sink.h"

/* The name of an enum's or errno's number; NULL: it has none, or the field is neither. */
const char *value_name(const struct sooth_field *f, uint64_t number);
/* A value that is there. */
void json_value(struct json *j, const struct sooth_field *f, const struct sooth_value *v);
/* The fields of a record as members of the open object. A field that could not be measured is null,
 * and a member "not_measured" names the reason. */
void json_members(struct json *j, const struct sooth_schema *schema, const struct sooth_record *r);
/* A section of a report as members of the open object: its name and an array, an object or, inline,
 * its fields. Count the rows and hand them back at the end: a single row that never came is null.
 */
void json_section_begin(struct json *j, const struct section *section);
void json_section_row(
	struct json *j, const struct section *section, const struct sooth_record *row);
void json_section_end(struct json *j, const struct section *section, size_t rows);
void json_schema_member(struct json *j, const char *name, unsigned version);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Types of fields, as a JSON Schema has them. */
#ifndef SOOTH_SINKS_JSON_TYPES_H
#define SOOTH_SINKS_JSON_TYPES_H

#include <sooth/field.h>

#include "base/json.h"

#define JSON_SCHEMA_DRAFT "https://json-schema.org/draft/2020-12/schema"

/* "key": "value" */
void json_types_pair(struct json *j, const char *key, const char *value);
/* "type": [first, second, "null"]; second NULL: none. */
void json_types_or_null(struct json *j, const char *first, const char *second);
/* Of a field whose value is a number, a truth value or a text. False: of any other, nothing is put.
 */
bool json_types_scalar(struct json *j, const struct sooth_field *f);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts that all JSON Schemas of sooth share: the beginning, and the types of fields. */
#pragma once

#include <sooth/field.h>

#include "base/json.h"

/* Writes the beginning of the schema of an object, and leaves the schema open. */
void json_types_begin(struct json *j, const char *title);
/* Writes "type" of a field as a member of the open object. */
void json_types_put(struct json *j, const struct sooth_field *f);

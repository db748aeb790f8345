/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of every JSON Schema of sooth: how it begins, and the types of fields. */
#ifndef SOOTH_SINKS_JSON_TYPES_H
#define SOOTH_SINKS_JSON_TYPES_H

#include <sooth/field.h>

#include "base/json.h"

/* An object stays open: the schema of an object. */
void json_types_begin(struct json *j, const char *title);
/* "type" of a field, as a member of the open object. */
void json_types_put(struct json *j, const struct sooth_field *f);

#endif

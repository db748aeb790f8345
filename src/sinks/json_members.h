/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows as JSON members, for the two JSON sinks. */
#ifndef SOOTH_SINKS_JSON_MEMBERS_H
#define SOOTH_SINKS_JSON_MEMBERS_H

#include "base/json.h"
#include "model/field.h"

/* The fields of a record as members of the open object. What could not be measured is null, and
 * a member "not_measured" names the reason. */
void json_members(struct json *j, const struct sooth_schema *schema, const struct sooth_record *r);
void json_schema_member(struct json *j, const char *name, unsigned version);

#endif

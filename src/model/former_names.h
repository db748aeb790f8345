/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that fields and tables had in version 1 of the JSON schemas, for scripts that use them. */
#pragma once

#include <sooth/field.h>

/* Finds a field by its present or its former name. NULL: there is none. */
const struct sooth_field *field_by_any_name(const struct sooth_schema *schema, const char *name);
/* Return the present name of a field or a table, of any table; NULL: it was not renamed. */
const char *field_new_name(const char *former);
const char *table_new_name(const char *former);

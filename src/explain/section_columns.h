/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the columns of a section, for sinks that show tables. */
#pragma once

#include "explain/sink.h"
#include "model/field.h"

#define SECTION_COLUMNS_MAX 96

/* Writes the fields that the section names to `out`, or else all fields of its schema that are not
 * hidden. Returns how many; names that the schema lacks are left out. */
size_t section_columns(
	const struct section *section, const struct sooth_field *out[SECTION_COLUMNS_MAX]);
/* Returns how many of the levels of its field a value has reached, 0 to SOOTH_FIELD_LEVELS. */
unsigned section_level(const struct sooth_field *f, const struct sooth_value *v);
/* Returns the color of a value by the levels of its field; NULL: none. */
const char *section_level_color(const struct sooth_field *f, const struct sooth_value *v);

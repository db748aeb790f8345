/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables: the results of functions like sooth_agents() and sooth_diagnose(). The caller frees a
 * table; until then all that was borrowed from it is valid. One thread at a time may use a table. A
 * field has the name of the JSON key in the command with the same rows. A `table` that is NULL has
 * no rows, a `row` that is NULL has no fields.
 */
#ifndef SOOTH_TABLE_H
#define SOOTH_TABLE_H

#include <stddef.h>

#include <sooth/field.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sooth_table;
struct sooth_row;

size_t sooth_table_count(const struct sooth_table *table);
/* Returns the row behind `before`; `before` NULL: the first row. Returns NULL if there is no
 * more. */
const struct sooth_row *sooth_table_next(
	const struct sooth_table *table, const struct sooth_row *before);
/*
 * Returns a value as people read it, with its unit and escaped for a terminal; "-": there is no
 * value, "?": not measured; "" if the row has no such field, or memory ran out.
 */
const char *sooth_row_text(const struct sooth_row *row, const char *field);
/* Returns a number in the unit of its field, or true (1) or false (0); NaN: there is none. A number
 * above 2^53 is rounded: sooth_field_get() returns all digits. */
double sooth_row_number(const struct sooth_row *row, const char *field);
/* Return the schema and the record of a row, for sooth_field_get() and similar functions. */
const struct sooth_schema *sooth_row_schema(const struct sooth_row *row);
const struct sooth_record *sooth_row_record(const struct sooth_row *row);
/* Returns a JSON array with an object for each row, for other languages. The caller calls free().
 * NULL: memory ran out. */
char *sooth_table_json(const struct sooth_table *table);
/* `table` may be NULL. */
void sooth_table_free(struct sooth_table *table);

#ifdef __cplusplus
}
#endif
#endif

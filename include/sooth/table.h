/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows that stay: what sooth_agents() and sooth_diagnose() give. A table is the caller's, with all
 * that is borrowed from it; one thread at a time may use it. Fields are called as the JSON keys of
 * the command with the same rows; NULL for a table or a row has none.
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
/* The rows one by one: the first for `before` NULL, then the one behind that; NULL: no more. */
const struct sooth_row *sooth_table_next(
	const struct sooth_table *table, const struct sooth_row *before);
/*
 * A value as people read it, with its unit and escaped for a terminal; "-": there is none, "?": it
 * was not measured; "" if the row has no such field, or memory ran out.
 */
const char *sooth_row_text(const struct sooth_row *row, const char *field);
/* A number, also true (1) or false (0), in the unit of its field; NaN: there is none. Above 2^53 it
 * is rounded: sooth_field_get() has all digits. */
double sooth_row_number(const struct sooth_row *row, const char *field);
/* For sooth_field_get() and the like. */
const struct sooth_schema *sooth_row_schema(const struct sooth_row *row);
const struct sooth_record *sooth_row_record(const struct sooth_row *row);
/* An array with an object for each row, for other languages; free() it. NULL: memory ran out. */
char *sooth_table_json(const struct sooth_table *table);
/* NULL is fine. */
void sooth_table_free(struct sooth_table *table);

#ifdef __cplusplus
}
#endif
#endif

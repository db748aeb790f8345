/* SPDX-License-Identifier: BSD-2-Clause */
/* A table while it is filled. */
#pragma once

#include <sooth/error.h>
#include <sooth/table.h>

struct sooth_table *table_new(struct sooth_error *err);
/* Appends a copy of the record as the last row. */
int table_append(struct sooth_table *t, const struct sooth_schema *schema,
	const struct sooth_record *record);
/* Returns a copy of the table; NULL: memory ran out. */
struct sooth_table *table_copy(const struct sooth_table *t, struct sooth_error *err);
/* Returns the last row; NULL: the table is empty. */
const struct sooth_row *table_last(const struct sooth_table *t);
void table_remove(struct sooth_table *t, const struct sooth_row *row);

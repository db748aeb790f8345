/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes one record for each key from many records of a schema: the table of each field says how two
 * values merge. A raw event becomes an aggregate of one first.
 */
#pragma once

#include "base/map.h"
#include "model/field.h"

#define REDUCE_KEY_FIELDS 8

struct reducer {
	const struct sooth_schema *schema;
	const struct sooth_field *keys[REDUCE_KEY_FIELDS];
	size_t key_count;
	struct map rows; /* key bytes -> the fixed part of a record */
};

/* Sets the key fields by name, comma-separated. More than `limit` rows are counted in
 * rows.refused. */
bool reducer_init(
	struct reducer *r, const struct sooth_schema *schema, const char *keys, size_t limit);
void reducer_push(struct reducer *r, const struct sooth_record *record);
/* Returns the merged rows in the order of their first record; *position starts at 0. NULL at the
 * end. */
const struct sooth_record *reducer_next(const struct reducer *r, size_t *position);
/* Returns the rows as an array for sorting, which the caller frees; NULL without memory. */
const struct sooth_record **reducer_rows(const struct reducer *r, size_t *count);
void reducer_fini(struct reducer *r);

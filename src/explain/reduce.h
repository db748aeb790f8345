/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one way many records of a schema become one for each key: every field
 * says in its table how two values merge. A raw event is first made into an
 * aggregate of one.
 */
#ifndef SOOTH_EXPLAIN_REDUCE_H
#define SOOTH_EXPLAIN_REDUCE_H

#include "base/map.h"
#include "model/field.h"

#define REDUCE_KEY_FIELDS 8

struct reducer {
	const struct sooth_schema *schema;
	const struct sooth_field *keys[REDUCE_KEY_FIELDS];
	size_t key_count;
	struct map rows; /* key bytes -> the fixed part of a record */
};

/* Key fields by name, comma-separated; at most `limit` rows, more are counted in rows.refused. */
bool reducer_init(
	struct reducer *r, const struct sooth_schema *schema, const char *keys, size_t limit);
void reducer_push(struct reducer *r, const struct sooth_record *record);
/* Merged rows in the order their keys came; *position starts at 0. NULL at the end. */
const struct sooth_record *reducer_next(const struct reducer *r, size_t *position);
/* The same as an array for sorting, to be freed by the caller; NULL without memory. */
const struct sooth_record **reducer_rows(const struct reducer *r, size_t *count);
void reducer_fini(struct reducer *r);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Merging by key; see reduce.h. Fields of the fixed part only: tails do not merge. */
#include "explain/reduce.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REDUCE_KEY_BYTES 64

bool reducer_init(
	struct reducer *r, const struct sooth_schema *schema, const char *keys, size_t limit)
{
	size_t bytes = 0;

	assert(r);
	assert(schema);
	*r = (struct reducer){ .schema = schema };
	while (*keys) {
		char name[64];
		size_t size = strcspn(keys, ",");
		const struct sooth_field *f;

		snprintf(name, sizeof(name), "%.*s", (int)size, keys);
		f = sooth_schema_field(schema, name);
		if (!f || r->key_count == REDUCE_KEY_FIELDS || bytes + f->size > REDUCE_KEY_BYTES)
			return false;
		r->keys[r->key_count++] = f;
		bytes += f->size;
		keys += size + (keys[size] == ',');
	}
	map_init(&r->rows, REDUCE_KEY_BYTES, schema->fixed_size, limit);
	return true;
}

static void make_key(const struct reducer *r, const struct sooth_record *record,
	unsigned char key[REDUCE_KEY_BYTES])
{
	size_t at = 0;

	memset(key, 0, REDUCE_KEY_BYTES);
	for (size_t i = 0; i < r->key_count; i++) {
		memcpy(key + at, (const char *)record + r->keys[i]->offset, r->keys[i]->size);
		at += r->keys[i]->size;
	}
}

static uint64_t merge_number(enum sooth_merge how, uint64_t old, uint64_t new)
{
	switch (how) {
	case SOOTH_MERGE_SUM:
		return old + new;
	case SOOTH_MERGE_MIN:
		return new < old ? new : old;
	case SOOTH_MERGE_MAX:
		return new > old ? new : old;
	case SOOTH_MERGE_LAST:
		return new;
	default:
		return old;
	}
}

static void merge_histogram(unsigned char *to, const unsigned char *from, size_t size)
{
	for (size_t at = 0; at + sizeof(uint32_t) <= size; at += sizeof(uint32_t)) {
		uint32_t a, b;

		memcpy(&a, to + at, sizeof(a));
		memcpy(&b, from + at, sizeof(b));
		a = a + b < a ? UINT32_MAX : a + b;
		memcpy(to + at, &a, sizeof(a));
	}
}

static void merge_field(const struct sooth_field *f, unsigned char *to, const unsigned char *from)
{
	uint64_t a = 0, b = 0;

	if (f->merge == SOOTH_MERGE_KEY)
		return;
	to += f->offset;
	from += f->offset;
	if (f->type == SOOTH_FIELD_HISTOGRAM) {
		merge_histogram(to, from, f->size);
		return;
	}
	if (f->type != SOOTH_FIELD_UNSIGNED || f->size > sizeof(a))
		return;
	memcpy(&a, to, f->size);
	memcpy(&b, from, f->size);
	a = merge_number(f->merge, a, b);
	memcpy(to, &a, f->size);
}

/* Copies the fixed part of a record. A record of an older writer has a shorter one: what it lacks
 * is zero. */
static void copy_fixed_part(
	const struct reducer *r, const struct sooth_record *record, unsigned char *to)
{
	size_t has = (size_t)record->fixed_words * SOOTH_RECORD_WORD;

	memset(to, 0, r->schema->fixed_size);
	memcpy(to, record, has < r->schema->fixed_size ? has : r->schema->fixed_size);
	((struct sooth_record *)(void *)to)->words = r->schema->fixed_size / SOOTH_RECORD_WORD;
	((struct sooth_record *)(void *)to)->fixed_words =
		r->schema->fixed_size / SOOTH_RECORD_WORD;
}

void reducer_push(struct reducer *r, const struct sooth_record *record)
{
	assert(r);

	unsigned char key[REDUCE_KEY_BYTES];
	unsigned char whole[r->schema->fixed_size] __attribute__((aligned(8)));
	bool is_new;
	unsigned char *row;

	copy_fixed_part(r, record, whole);
	make_key(r, (const void *)whole, key);
	row = map_put(&r->rows, key, &is_new);
	if (!row)
		return;
	if (is_new) {
		memcpy(row, whole, r->schema->fixed_size);
		return;
	}
	for (size_t i = 0; i < r->schema->field_count; i++)
		merge_field(&r->schema->fields[i], row, whole);
}

const struct sooth_record *reducer_next(const struct reducer *r, size_t *position)
{
	void *row;

	assert(r);
	return map_next(&r->rows, position, NULL, &row) ? row : NULL;
}

const struct sooth_record **reducer_rows(const struct reducer *r, size_t *count)
{
	assert(r);

	const struct sooth_record **rows = calloc(r->rows.count + 1, sizeof(*rows));
	size_t position = 0;

	*count = 0;
	while (rows && (rows[*count] = reducer_next(r, &position)))
		++*count;
	return rows;
}

void reducer_fini(struct reducer *r)
{
	assert(r);
	map_fini(&r->rows);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash map. Entries stand densely in an array, in the order of their insertion. An
 * open-addressing index of entry numbers finds them; it also has their hashes, because reading an
 * entry often waits for memory. A removed entry stays in the array as a tombstone until the array
 * is full; then the array is packed if at least half of it is tombstones, and doubled otherwise.
 * The index has live entries only: a removal closes its gap in the index, else each return of a
 * removed key would make its search longer. The index is never more than half full.
 */
#include "base/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 8
#define CAPACITY_MAX   ((size_t)1 << 30) /* entry numbers are 32 bits */
#define INDEX_FACTOR   2

struct entry {
	uint32_t hash;
	uint32_t is_live;
	/* the key, padded to 8 bytes, and the value, padded to 8 bytes */
};

static size_t padded_size(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

static size_t entry_size(const struct map *m)
{
	return sizeof(struct entry) + padded_size(m->key_size) + padded_size(m->value_size);
}

static struct entry *entry_at(const struct map *m, size_t number)
{
	return (struct entry *)(void *)(m->entries + number * entry_size(m));
}

static void *key_of(struct entry *e)
{
	return e + 1;
}

static void *value_of(const struct map *m, struct entry *e)
{
	return (unsigned char *)(e + 1) + padded_size(m->key_size);
}

/* Multiplies to 128 bits and folds: every bit of the input reaches the low ones. */
static uint64_t mix_bits(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t hash_bytes(const void *data, size_t size)
{
	const unsigned char *at = data;
	uint64_t hash = size ^ 0x9e3779b97f4a7c15ULL, word;

	for (; size >= 8; at += 8, size -= 8) {
		memcpy(&word, at, 8);
		hash = mix_bits(hash ^ word, 0xd6e8feb86659fd93ULL);
	}
	word = 0;
	for (size_t i = 0; i < size; i++)
		word = word << 8 | at[i];
	hash = mix_bits(hash ^ word, 0xa0761d6478bd642fULL);
	/* mix_bits() maps 0 to 0: the last step must not depend on a product only. */
	hash ^= hash >> 32;
	hash *= 0xe7037ed1a0b428dbULL;
	return (uint32_t)(hash >> 32);
}

/* Returns the place of the key in the index, or the empty place for it. The index is not empty. */
static size_t find_place(const struct map *m, const void *key, uint32_t hash)
{
	size_t mask = m->index_size - 1;
	size_t at = hash & mask;

	while (m->index[at].number &&
		(m->index[at].hash != hash ||
			memcmp(key_of(entry_at(m, m->index[at].number - 1)), key, m->key_size)))
		at = (at + 1) & mask;
	return at;
}

static struct entry *find_entry(const struct map *m, const void *key, uint32_t hash)
{
	size_t at = m->index_size ? find_place(m, key, hash) : 0;

	return m->index_size && m->index[at].number ? entry_at(m, m->index[at].number - 1) : NULL;
}

static void index_add(struct map *m, size_t number)
{
	size_t mask = m->index_size - 1;
	uint32_t hash = entry_at(m, number)->hash;
	size_t at = hash & mask;

	while (m->index[at].number)
		at = (at + 1) & mask;
	m->index[at] = (struct map_place){ hash, (uint32_t)(number + 1) };
}

/* Closes the gap at `at`: the places after it that a collision had pushed past it move up. */
static void index_remove(struct map *m, size_t at)
{
	size_t mask = m->index_size - 1;

	for (size_t next = (at + 1) & mask; m->index[next].number; next = (next + 1) & mask) {
		size_t home = m->index[next].hash & mask;

		if (((next - home) & mask) < ((next - at) & mask))
			continue;
		m->index[at] = m->index[next];
		at = next;
	}
	m->index[at] = (struct map_place){ 0 };
}

/* Closes the gaps of removed entries and rebuilds the index. */
static void pack_entries(struct map *m)
{
	size_t size = entry_size(m), live = 0;

	for (size_t i = 0; i < m->used; i++) {
		if (!entry_at(m, i)->is_live)
			continue;
		if (live != i)
			memcpy(entry_at(m, live), entry_at(m, i), size);
		live++;
	}
	m->used = live;
	memset(m->index, 0, m->index_size * sizeof(*m->index));
	for (size_t i = 0; i < live; i++)
		index_add(m, i);
}

static bool grow_map(struct map *m)
{
	size_t capacity = m->capacity ? m->capacity * 2 : CAPACITY_FIRST;
	size_t size = entry_size(m);
	unsigned char *entries;
	struct map_place *index;

	if (capacity > CAPACITY_MAX || capacity > SIZE_MAX / size)
		return false;
	index = calloc(capacity * INDEX_FACTOR, sizeof(*index));
	entries = index ? realloc(m->entries, capacity * size) : NULL;
	if (!entries) {
		free(index);
		return false;
	}
	free(m->index);
	m->index = index;
	m->index_size = capacity * INDEX_FACTOR;
	m->entries = entries;
	m->capacity = capacity;
	pack_entries(m);
	return true;
}

/* Makes sure that one more entry fits. */
static bool make_room(struct map *m)
{
	if (m->used < m->capacity)
		return true;
	if (m->count > m->capacity / 2 || !m->capacity)
		if (grow_map(m))
			return true;
	if (m->count == m->used)
		return false;
	pack_entries(m);
	return true;
}

void map_init(struct map *m, size_t key_size, size_t value_size, size_t limit)
{
	*m = (struct map){ .key_size = key_size, .value_size = value_size, .limit = limit };
}

void map_fini(struct map *m)
{
	assert(m);
	free(m->entries);
	free(m->index);
	map_init(m, m->key_size, m->value_size, m->limit);
}

void map_clear(struct map *m)
{
	assert(m);
	/* `refused` stays: a loss does not go away because the map was emptied. */
	m->count = 0;
	m->used = 0;
	if (m->index_size)
		memset(m->index, 0, m->index_size * sizeof(*m->index));
}

void *map_get(const struct map *m, const void *key)
{
	assert(m);

	struct entry *e = m->count ? find_entry(m, key, hash_bytes(key, m->key_size)) : NULL;

	return e ? value_of(m, e) : NULL;
}

void map_fetch_index(const struct map *m, const void *key)
{
	assert(m);
	if (m->index_size)
		__builtin_prefetch(&m->index[hash_bytes(key, m->key_size) & (m->index_size - 1)]);
}

void map_fetch_entry(const struct map *m, const void *key)
{
	assert(m);

	uint32_t number =
		m->index_size ? m->index[hash_bytes(key, m->key_size) & (m->index_size - 1)].number
			      : 0;

	/* A collision leads to another entry, which does no harm. */
	if (number)
		__builtin_prefetch(entry_at(m, number - 1));
}

void *map_put(struct map *m, const void *key, bool *is_new)
{
	assert(m);
	assert(m->key_size); /* map_init() came first */
	assert(key);

	uint32_t hash = hash_bytes(key, m->key_size);
	struct entry *e = find_entry(m, key, hash);

	if (is_new)
		*is_new = false;
	if (e)
		return value_of(m, e);
	if (m->count >= m->limit || !make_room(m)) {
		m->refused++;
		return NULL;
	}
	e = entry_at(m, m->used);
	memset(e, 0, entry_size(m));
	e->hash = hash;
	e->is_live = 1;
	memcpy(key_of(e), key, m->key_size);
	index_add(m, m->used);
	m->used++;
	m->count++;
	if (is_new)
		*is_new = true;
	return value_of(m, e);
}

bool map_remove(struct map *m, const void *key)
{
	assert(m);

	size_t at = m->count ? find_place(m, key, hash_bytes(key, m->key_size)) : 0;

	if (!m->count || !m->index[at].number)
		return false;
	entry_at(m, m->index[at].number - 1)->is_live = 0;
	index_remove(m, at);
	m->count--;
	/* Removed entries at the end are dropped. */
	while (m->used && !entry_at(m, m->used - 1)->is_live)
		m->used--;
	return true;
}

bool map_next(const struct map *m, size_t *position, const void **key, void **value)
{
	assert(m);
	assert(m->count <= m->used);
	while (*position < m->used) {
		struct entry *e = entry_at(m, (*position)++);

		if (!e->is_live)
			continue;
		if (key)
			*key = key_of(e);
		if (value)
			*value = value_of(m, e);
		return true;
	}
	return false;
}

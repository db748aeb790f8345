/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash map. Keys and values have fixed sizes; keys are compared and hashed as bytes (so zero a
 * key before you fill it). Entries stay in the order of their insertion, also after removals: each
 * walk, in each process, has the same order. A put beyond `limit` entries yields NULL and is
 * counted in `refused`. Pointers to values are valid until the next put or remove.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct map_place {
	uint32_t hash;
	uint32_t number; /* number of the entry plus one; 0: empty */
};

struct map {
	size_t key_size;
	size_t value_size;
	size_t limit;	  /* most entries */
	size_t count;	  /* entries now */
	uint64_t refused; /* puts beyond the limit, or without memory */
	unsigned char *entries;
	size_t used; /* entries in the array, removed ones included */
	size_t capacity;
	struct map_place *index;
	size_t index_size; /* power of two, 0 at first */
};

void map_init(struct map *m, size_t key_size, size_t value_size, size_t limit);
void map_fini(struct map *m);
void map_clear(struct map *m);
void *map_get(const struct map *m, const void *key);
/* Fetch into the cache what finds a key soon: first the index, and some lookups later the entry. */
void map_fetch_index(const struct map *m, const void *key);
void map_fetch_entry(const struct map *m, const void *key);
/* Returns the value of a key, and inserts the key if it is new. A new value is all zeros (*is_new
 * is then true; `is_new` may be NULL). */
void *map_put(struct map *m, const void *key, bool *is_new);
bool map_remove(struct map *m, const void *key);
/* Walks the map: *position starts at 0; false at the end. The current entry may be removed. */
bool map_next(const struct map *m, size_t *position, const void **key, void **value);

/* State of the macros below; in_body is still true after a break. */
struct map_walk {
	size_t position;
	const void *key;
	void *value;
	bool is_entered, in_body;
};

static inline bool map_walk_next(const struct map *m, struct map_walk *w)
{
	w->is_entered = m && !w->in_body && map_next(m, &w->position, &w->key, &w->value);
	return w->is_entered;
}

static inline bool map_walk_enter(struct map_walk *w)
{
	w->in_body = w->is_entered;
	w->is_entered = false;
	return w->in_body;
}

/* Returns the value, in a map whose values are pointers. */
static inline void *map_walk_pointer(const struct map_walk *w)
{
	void *pointer;

	memcpy(&pointer, w->value, sizeof(pointer));
	return pointer;
}

/* Stands for a map in map_for_each(): the walk ends when the condition no longer holds. */
#define map_while(condition, m) ((condition) ? (m) : NULL)

/* Walks a map as a loop, with break and continue: map_for_each (&m, const struct process_id *, id,
 * struct process *, p) */
#define map_for_each(m, key_type, key_, value_type, value_)                                        \
	for (struct map_walk walk_ = { 0 }; map_walk_next(m, &walk_);)                             \
		for (key_type key_ = walk_.key; walk_.is_entered;)                                 \
			for (value_type value_ = walk_.value; map_walk_enter(&walk_);              \
				walk_.in_body = false)
#define map_for_each_key(m, type, key_)                                                            \
	for (struct map_walk walk_ = { 0 }; map_walk_next(m, &walk_);)                             \
		for (type key_ = walk_.key; map_walk_enter(&walk_); walk_.in_body = false)
#define map_for_each_value(m, type, value_)                                                        \
	for (struct map_walk walk_ = { 0 }; map_walk_next(m, &walk_);)                             \
		for (type value_ = walk_.value; map_walk_enter(&walk_); walk_.in_body = false)
#define map_for_each_pointer(m, type, pointer_)                                                    \
	for (struct map_walk walk_ = { 0 }; map_walk_next(m, &walk_);)                             \
		for (type pointer_ = map_walk_pointer(&walk_); map_walk_enter(&walk_);             \
			walk_.in_body = false)

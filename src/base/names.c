/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts by number; see names.h. Texts of the same hash have successive hashes in the map. */
#include "base/names.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"

struct names_place {
	size_t at, size;
};

void names_init(struct names *n, size_t most, size_t bytes_most)
{
	assert(n);
	*n = (struct names){ .bytes_most = bytes_most };
	map_init(&n->by_hash, sizeof(uint64_t), sizeof(uint32_t), most);
}

void names_fini(struct names *n)
{
	assert(n);
	map_fini(&n->by_hash);
	buffer_fini(&n->places);
	buffer_fini(&n->bytes);
}

size_t names_count(const struct names *n)
{
	assert(n);
	return n->places.size / sizeof(struct names_place);
}

struct span names_get(const struct names *n, uint32_t number)
{
	assert(n);

	const struct names_place *place = (const struct names_place *)(const void *)n->places.data;

	if (!place[number].size)
		return span_of("", 0);
	return span_of((const char *)n->bytes.data + place[number].at, place[number].size);
}

static bool is_text_at(const struct names *n, uint32_t number, struct span text)
{
	struct span known = names_get(n, number);

	return known.size == text.size && (!text.size || !memcmp(known.data, text.data, text.size));
}

static bool store_text(struct names *n, struct span text)
{
	struct names_place place = { n->bytes.size, text.size };

	/* The bytes may move: a part of another text is copied by the caller. */
	assert(!text.size || (uintptr_t)text.data - (uintptr_t)n->bytes.data >= n->bytes.size);
	if (n->bytes.size + text.size > n->bytes_most)
		return false;
	buffer_append(&n->bytes, text.data, text.size);
	if (buffer_failed(&n->bytes))
		return false;
	buffer_append(&n->places, &place, sizeof(place));
	return !buffer_failed(&n->places);
}

uint32_t names_put(struct names *n, struct span text, bool *is_new)
{
	uint64_t hash = hash_bytes(HASH_BEGIN, text.data, text.size);
	uint32_t *number;
	bool is_free;

	assert(n);
	if (is_new)
		*is_new = false;
	for (;; hash++) {
		number = map_put(&n->by_hash, &hash, &is_free);
		if (!number)
			return NAMES_NONE;
		if (is_free)
			break;
		if (is_text_at(n, *number, text))
			return *number;
	}
	*number = (uint32_t)names_count(n);
	if (!store_text(n, text)) {
		map_remove(&n->by_hash, &hash);
		return NAMES_NONE;
	}
	if (is_new)
		*is_new = true;
	return *number;
}

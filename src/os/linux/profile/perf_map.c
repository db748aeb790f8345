/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of perf maps. */
#include "os/linux/profile/perf_map.h"

#include <assert.h>
#include <string.h>

#include "base/cursor.h"

#define FUNCTION_BYTES_MAX (64u << 20)

/* Returns the first place whose address is not below `address`. */
static size_t first_from(const struct perf_map_place *places, size_t count, uint64_t address)
{
	size_t from = 0, to = count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (places[middle].address < address)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static void offer_name(struct perf_map_place *place, uint64_t begin, struct span name)
{
	size_t size = name.size < PERF_MAP_NAME_MAX ? name.size : PERF_MAP_NAME_MAX;

	if (place->is_found)
		place->is_reused |=
			strlen(place->name) != size || memcmp(place->name, name.data, size) != 0;
	memcpy(place->name, name.data, size);
	place->name[size] = '\0';
	place->begin = begin;
	place->is_found = true;
}

void perf_map_put(struct perf_map_place *places, size_t count, uint64_t begin, uint64_t size,
	struct span name)
{
	assert(count < 2 || places[0].address <= places[count - 1].address); /* sorted */
	if (!size || size > FUNCTION_BYTES_MAX || (name.size && memchr(name.data, '\0', name.size)))
		return;
	for (size_t i = first_from(places, count, begin);
		i < count && places[i].address - begin < size; i++) {
		if (name.size)
			offer_name(&places[i], begin, name);
		else
			places[i].is_reused |= places[i].is_found;
	}
}

static void parse_line(struct perf_map_place *places, size_t count, struct span line)
{
	struct cursor c = cursor_over(line.data, line.size);
	uint64_t begin = cursor_hex(&c), size = cursor_hex(&c);
	struct span name;

	cursor_blanks(&c);
	name = cursor_until(&c, '\n');
	if (!c.failed && name.size)
		perf_map_put(places, count, begin, size, name);
}

void perf_map_parse(struct perf_map_place *places, size_t count, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);

	while (!cursor_at_end(&c))
		parse_line(places, count, cursor_line(&c));
}

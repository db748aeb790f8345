/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbols/bun.h"

#include <assert.h>
#include <string.h>

#include "base/cursor.h"

#define END_LINE "\n---- Bun! ----\n"

uint64_t bun_end(const void *head, size_t size, uint64_t section_size)
{
	struct cursor c = cursor_over(head, size);
	uint64_t length = cursor_u64(&c);

	if (c.failed || section_size < BUN_HEAD_SIZE || length > section_size - BUN_HEAD_SIZE ||
		length < BUN_END_SIZE)
		return 0;
	return BUN_HEAD_SIZE + length - BUN_END_SIZE;
}

static bool parse_place(struct bun_place *place, struct cursor *c, uint64_t section_size)
{
	uint64_t offset = cursor_u32(c), length = cursor_u32(c);

	*place = (struct bun_place){ BUN_HEAD_SIZE + offset, length };
	return !c->failed && section_size >= BUN_HEAD_SIZE &&
	       offset + length <= section_size - BUN_HEAD_SIZE;
}

bool bun_parse_end(struct bun_places *places, const void *data, size_t size, uint64_t section_size)
{
	struct cursor c = cursor_over(data, size);

	assert(places);
	*places = (struct bun_places){ 0 };
	cursor_u64(&c); /* bytes before */
	if (!parse_place(&places->modules, &c, section_size))
		return false;
	places->entry = cursor_u32(&c);
	if (!parse_place(&places->options, &c, section_size))
		return false;
	cursor_u32(&c); /* flags */
	return span_equal(cursor_bytes(&c, strlen(END_LINE)), END_LINE);
}

bool bun_may_be_row(const struct bun_places *places, unsigned row_size)
{
	assert(places);
	return row_size >= BUN_ROW_LEAST && !(places->modules.size % row_size) &&
	       places->entry < places->modules.size / row_size;
}

bool bun_parse_row(struct bun_place *name, struct bun_place *contents, const void *data,
	size_t size, uint64_t section_size)
{
	struct cursor c = cursor_over(data, size);

	return parse_place(name, &c, section_size) && parse_place(contents, &c, section_size);
}

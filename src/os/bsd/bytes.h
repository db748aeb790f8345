/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads members of a system's struct at their offsets. Both systems are little endian on the
 * processors that sooth supports. Bytes beyond the end are read as 0. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cursor.h"

struct bsd_bytes {
	const unsigned char *data;
	size_t size;
};

static inline uint64_t bsd_number(const struct bsd_bytes *b, size_t offset, size_t size)
{
	uint64_t value = 0;

	if (offset > b->size || size > b->size - offset)
		return 0;
	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)b->data[offset + i] << (8 * i);
	return value;
}

static inline uint8_t bsd_u8(const struct bsd_bytes *b, size_t offset)
{
	return (uint8_t)bsd_number(b, offset, 1);
}

static inline uint16_t bsd_u16(const struct bsd_bytes *b, size_t offset)
{
	return (uint16_t)bsd_number(b, offset, 2);
}

static inline uint32_t bsd_u32(const struct bsd_bytes *b, size_t offset)
{
	return (uint32_t)bsd_number(b, offset, 4);
}

static inline int32_t bsd_i32(const struct bsd_bytes *b, size_t offset)
{
	return (int32_t)bsd_u32(b, offset);
}

static inline uint64_t bsd_u64(const struct bsd_bytes *b, size_t offset)
{
	return bsd_number(b, offset, 8);
}

/* Returns the string at `offset`, up to a NUL, at most `size` bytes. */
static inline struct span bsd_string(const struct bsd_bytes *b, size_t offset, size_t size)
{
	const char *text;

	if (offset >= b->size)
		return span_of("", 0);
	if (size > b->size - offset)
		size = b->size - offset;
	text = (const char *)b->data + offset;
	return span_of(text, strnlen(text, size));
}

/* Copies the string at `offset` into an array, cut if needed. */
static inline void bsd_copy(
	char *out, size_t room, const struct bsd_bytes *b, size_t offset, size_t size)
{
	struct span text = bsd_string(b, offset, size);

	if (text.size >= room)
		text.size = room - 1;
	memcpy(out, text.data, text.size);
	memset(out + text.size, 0, room - text.size);
}

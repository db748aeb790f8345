/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The growing array of bytes. Memory doubles and always holds one byte more than was requested, so
 * that buffer_cstr() can end the text without moving it.
 */
#include "base/buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 64

/* Makes the memory hold `wanted` bytes; the caller has checked the limit. */
static bool grow_memory(struct buffer *b, size_t wanted)
{
	size_t capacity = b->capacity ? b->capacity : CAPACITY_FIRST;
	unsigned char *data;

	if (wanted <= b->capacity)
		return true;
	while (capacity < wanted)
		capacity = capacity > PTRDIFF_MAX / 2 ? wanted : capacity * 2;
	/* Doubling need not go beyond the limit. */
	if (b->limit && capacity - 1 > b->limit && wanted - 1 <= b->limit)
		capacity = b->limit + 1;
	data = realloc(b->data, capacity);
	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->capacity = capacity;
	return true;
}

/* Returns whether `size` more bytes may be added; a refusal is a failure. */
static bool admit_bytes(struct buffer *b, size_t size)
{
	/* No object is larger than PTRDIFF_MAX, the byte behind the text included. */
	size_t most = PTRDIFF_MAX - 1, bound = b->limit && b->limit < most ? b->limit : most;

	if (b->failed)
		return false;
	if (b->size > bound || size > bound - b->size)
		b->failed = true;
	return !b->failed;
}

void buffer_fini(struct buffer *b)
{
	assert(b);
	free(b->data);
	*b = (struct buffer){ .limit = b->limit };
}

void buffer_reset(struct buffer *b)
{
	assert(b);
	b->size = 0;
	b->failed = false;
}

bool buffer_failed(const struct buffer *b)
{
	assert(b);
	return b->failed;
}

void *buffer_reserve(struct buffer *b, size_t size)
{
	assert(b);
	assert(b->size <= b->capacity); /* own memory, not a view of other memory */
	if (!admit_bytes(b, size) || !grow_memory(b, b->size + size + 1))
		return NULL;
	return b->data + b->size;
}

void buffer_commit(struct buffer *b, size_t size)
{
	assert(b);
	assert(b->size <= b->capacity);
	if (!admit_bytes(b, size))
		return;
	if (size > b->capacity - b->size)
		b->failed = true; /* more than was reserved */
	else
		b->size += size;
}

void *buffer_zeros(struct buffer *b, size_t size)
{
	assert(b);

	void *room = buffer_reserve(b, size);

	if (!room)
		return NULL;
	memset(room, 0, size);
	b->size += size;
	return room;
}

void buffer_append(struct buffer *b, const void *data, size_t size)
{
	void *room;

	assert(b);
	assert(data || !size);
	if (!size)
		return;
	room = buffer_reserve(b, size);
	if (!room)
		return;
	memcpy(room, data, size);
	b->size += size;
}

void buffer_char(struct buffer *b, char c)
{
	assert(b);
	/* Most calls have room: a byte for the character, and one for the NUL. */
	if (!b->failed && b->capacity - b->size > 1 && (!b->limit || b->size < b->limit))
		b->data[b->size++] = (unsigned char)c;
	else
		buffer_append(b, &c, 1);
}

void buffer_string(struct buffer *b, const char *text)
{
	buffer_append(b, text, strlen(text));
}

void buffer_u64(struct buffer *b, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	buffer_append(b, digits + at, sizeof(digits) - at);
}

void buffer_i64(struct buffer *b, int64_t value)
{
	if (value < 0)
		buffer_char(b, '-');
	buffer_u64(b, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void buffer_vformat(struct buffer *b, const char *format, va_list args)
{
	assert(b);

	size_t room = b->capacity - b->size;
	va_list again;
	int length;

	if (b->failed)
		return;
	va_copy(again, args);
	length = vsnprintf(room ? (char *)b->data + b->size : NULL, room, format, args);
	if (length < 0)
		b->failed = true;
	else if (admit_bytes(b, (size_t)length) && (size_t)length >= room &&
		 grow_memory(b, b->size + (size_t)length + 1))
		vsnprintf((char *)b->data + b->size, (size_t)length + 1, format, again);
	if (!b->failed)
		b->size += (size_t)length;
	va_end(again);
}

void buffer_format(struct buffer *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buffer_vformat(b, format, args);
	va_end(args);
}

void buffer_consume(struct buffer *b, size_t size)
{
	assert(b);
	if (size >= b->size) {
		b->size = 0;
		return;
	}
	if (!size)
		return;
	b->size -= size;
	memmove(b->data, b->data + size, b->size);
}

bool buffer_has(const struct buffer *b, const void *item, size_t size)
{
	for (size_t at = 0; at < b->size; at += size) {
		if (!memcmp(b->data + at, item, size))
			return true;
	}
	return false;
}

const char *buffer_cstr(struct buffer *b)
{
	assert(b);
	if (b->failed || !grow_memory(b, b->size + 1))
		return "";
	b->data[b->size] = '\0';
	return (const char *)b->data;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing array of bytes. Failure to grow is sticky: later appends do nothing, and the caller
 * checks buffer_failed() once at the end. A zero-initialised buffer is valid and empty. `limit` (0:
 * none) bounds the size; exceeding it is a failure.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
	unsigned char *data;
	size_t size;
	size_t capacity;
	size_t limit;
	bool failed;
};

void buffer_fini(struct buffer *b);  /* frees the memory; the buffer is then valid and empty */
void buffer_reset(struct buffer *b); /* empties the buffer, keeps its memory, clears the failure */
bool buffer_failed(const struct buffer *b);
/* Makes room for `size` more bytes and returns the address of the room; NULL on failure. The bytes
 * count as used only after buffer_commit(). */
void *buffer_reserve(struct buffer *b, size_t size);
void buffer_commit(struct buffer *b, size_t size);
/* Reserves and commits `size` zero bytes, and returns them; NULL on failure. */
void *buffer_zeros(struct buffer *b, size_t size);
void buffer_append(struct buffer *b, const void *data, size_t size);
void buffer_char(struct buffer *b, char c);
void buffer_string(struct buffer *b, const char *text);
/* Append as "%llu" and "%lld" do, but faster: numbers are most of what a stream writes. */
void buffer_u64(struct buffer *b, uint64_t value);
void buffer_i64(struct buffer *b, int64_t value);
void buffer_vformat(struct buffer *b, const char *format, va_list args);
void buffer_format(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Removes the first `size` bytes, and moves the rest down. */
void buffer_consume(struct buffer *b, size_t size);
/* Returns the contents as a C string (adds a NUL that is not counted); "" on failure. */
const char *buffer_cstr(struct buffer *b);
/* Returns the bytes from `offset` on. NULL for an empty buffer: C does not define NULL plus 0. */
static inline const void *buffer_at(const struct buffer *b, size_t offset)
{
	return b->data ? b->data + offset : NULL;
}
static inline void *buffer_end(const struct buffer *b)
{
	return b->data ? b->data + b->size : NULL;
}
/* Returns whether one of the items of this size has the bytes of `item`. */
bool buffer_has(const struct buffer *b, const void *item, size_t size);

/* Visits the items of a buffer which has items of one type. The buffer must not grow meanwhile. */
#define buffer_each(type, item, buffer_) buffer_each_while (type, item, buffer_, true)
#define buffer_each_while(type, item, buffer_, condition)                                          \
	for (type *item = (void *)(buffer_)->data, *item##_end = buffer_end(buffer_);              \
		item != item##_end && (condition); item++)

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing array of bytes. Failure to grow is sticky: appends after it do
 * nothing, and buffer_failed() is asked once at the end. Zero-initialised is
 * valid and empty. `limit` (0: none) bounds the size; passing it is a failure.
 */
#ifndef SOOTH_BASE_BUFFER_H
#define SOOTH_BASE_BUFFER_H

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

void buffer_fini(struct buffer *b);  /* frees, and leaves it valid and empty */
void buffer_reset(struct buffer *b); /* empties, keeps the memory, clears the failure */
bool buffer_failed(const struct buffer *b);
/* Make room for `size` more bytes and return where they go, without counting
 * them as used; buffer_commit() does that. NULL on failure. */
void *buffer_reserve(struct buffer *b, size_t size);
void buffer_commit(struct buffer *b, size_t size);
/* Reserve and commit `size` zero bytes; returns them, NULL on failure. */
void *buffer_zeros(struct buffer *b, size_t size);
void buffer_append(struct buffer *b, const void *data, size_t size);
void buffer_char(struct buffer *b, char c);
void buffer_string(struct buffer *b, const char *text);
/* As "%llu" and "%lld" do, without their cost: numbers are most of what a stream writes. */
void buffer_u64(struct buffer *b, uint64_t value);
void buffer_i64(struct buffer *b, int64_t value);
void buffer_vformat(struct buffer *b, const char *format, va_list args);
void buffer_format(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drop the first `size` bytes, moving the rest down. */
void buffer_consume(struct buffer *b, size_t size);
/* The contents as a C string (adds a NUL behind, not counted); "" on failure. */
const char *buffer_cstr(struct buffer *b);
/* The bytes from an offset on; NULL of an empty buffer, where C knows no sum of NULL and 0. */
static inline const void *buffer_at(const struct buffer *b, size_t offset)
{
	return b->data ? b->data + offset : NULL;
}

#endif

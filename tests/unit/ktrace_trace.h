/* SPDX-License-Identifier: BSD-2-Clause */
/* A file of ktrace(2), put together byte by byte. */
#ifndef SOOTH_TESTS_KTRACE_TRACE_H
#define SOOTH_TESTS_KTRACE_TRACE_H

#include "support.h"

#include <string.h>

#include "os/freebsd/decode/ktrace.h"

struct trace {
	unsigned char bytes[16384];
	size_t size;
	bool is_new; /* headers of 14 */
	uint32_t pid;
	uint64_t tid;
	uint64_t at_us; /* after 1700000000 s */
};

static inline void put(struct trace *t, uint64_t value, size_t size)
{
	assert_true(t->size + size <= sizeof(t->bytes));
	for (size_t i = 0; i < size; i++)
		t->bytes[t->size++] = (unsigned char)(i < sizeof(value) ? value >> 8 * i : 0);
}

static inline void put_bytes(struct trace *t, const void *bytes, size_t size)
{
	assert_true(t->size + size <= sizeof(t->bytes));
	memcpy(t->bytes + t->size, bytes, size);
	t->size += size;
}

static inline void head(struct trace *t, unsigned type, size_t length)
{
	static const char name[20] = "tar";

	put(t, length, 4);
	put(t, type | (t->is_new ? 0x4000 : 0), 2);
	put(t, t->is_new ? 1 : 0, 2);
	put(t, t->pid, 4);
	put_bytes(t, name, sizeof(name));
	put(t, 1700005000, 8);
	put(t, t->is_new ? t->at_us * 1000 : t->at_us, 8);
	put(t, t->tid, 8);
	if (t->is_new) {
		put(t, 3, 4); /* the processor */
		put(t, 0, 4);
	}
}

static inline void add_call(
	struct trace *t, unsigned number, unsigned count, const uint64_t *arguments)
{
	head(t, 1, 8 + 8 * count);
	put(t, number, 2);
	put(t, count, 2);
	put(t, 0, 4);
	for (unsigned i = 0; i < count; i++)
		put(t, arguments[i], 8);
}

static inline void add_return(struct trace *t, unsigned number, int error, uint64_t value)
{
	head(t, 2, 16);
	put(t, number, 2);
	put(t, 0, 2);
	put(t, (uint32_t)error, 4);
	put(t, value, 8);
}

static inline void add_text(struct trace *t, unsigned type, const char *text, size_t size)
{
	head(t, type, size);
	put_bytes(t, text, size);
}

static inline void add_malloc(struct trace *t, uint64_t old, uint64_t size, uint64_t address)
{
	head(t, 7, 24);
	put(t, old, 8);
	put(t, size, 8);
	put(t, address, 8);
}

static inline struct ktrace_record only(const struct trace *t, struct cursor *c)
{
	struct ktrace_record r;

	*c = cursor_over(t->bytes, t->size);
	assert_true(ktrace_next(&r, c));
	assert_true(cursor_at_end(c));
	return r;
}

#endif

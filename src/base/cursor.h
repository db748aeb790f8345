/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading foreign bytes without leaving them: a position, an end, and a sticky
 * failure. Every reader yields zero or an empty span once something was out of
 * bounds or not as expected, so a parser checks cursor.failed once.
 */
#ifndef SOOTH_BASE_CURSOR_H
#define SOOTH_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const unsigned char *at;
	const unsigned char *end;
	bool failed;
};

/* Borrowed bytes; not NUL-terminated. */
struct span {
	const char *data;
	size_t size;
};

struct cursor cursor_over(const void *data, size_t size);
size_t cursor_left(const struct cursor *c);
bool cursor_at_end(const struct cursor *c);
struct span cursor_bytes(struct cursor *c, size_t size); /* exactly size bytes */
uint8_t cursor_u8(struct cursor *c);			 /* little endian, unaligned */
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
/* Text. cursor_until() takes up to the first `stop` (which is consumed, not
 * returned) or to the end when there is none. */
struct span cursor_until(struct cursor *c, char stop);
struct span cursor_line(struct cursor *c); /* until '\n' */
struct span cursor_word(struct cursor *c); /* skips blanks and tabs, then up to one */
uint64_t cursor_decimal(struct cursor *c); /* skips blanks; fails on no digit or overflow */
int64_t cursor_signed(struct cursor *c);
uint64_t cursor_hex(struct cursor *c); /* skips blanks; without 0x */
bool cursor_skip(struct cursor *c,
	const char *literal); /* true: it was here, and is skipped; false is no failure */
void cursor_blanks(struct cursor *c);

bool span_equal(struct span s, const char *text);
/* As bytes, in the order of memcmp(3); of two that begin alike the shorter one comes first. */
int span_compare(struct span a, struct span b);
bool span_starts(struct span s, const char *prefix);
bool span_ends(struct span s, const char *suffix);
bool span_contains(struct span s, const char *needle);
/* Whether any of the texts fits; SPAN_ANY(name, span_equal, names) takes an array. */
bool span_any(struct span s, bool (*fits)(struct span s, const char *text),
	const char *const *texts, size_t count);
#define SPAN_ANY(s, fits, texts) span_any(s, fits, texts, sizeof(texts) / sizeof((texts)[0]))
/* Returns the last such byte; NULL: there is none. */
const char *span_last(struct span s, char byte);
/* Returns the part of a path after its last slash. */
struct span path_base(struct span path);
/* The whole span as an unsigned decimal number; false when it is anything else. */
bool span_decimal(struct span s, uint64_t *value);
static inline struct span span_of(const char *data, size_t size)
{
	return (struct span){ data, size };
}
static inline struct span span_of_string(const char *string)
{
	return span_of(string, strlen(string));
}

#endif

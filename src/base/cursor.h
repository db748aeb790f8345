/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads untrusted bytes without leaving them: a position, an end, and a sticky failure. After bytes
 * that were out of bounds or not as expected, every reader yields zero or an empty span, so a
 * parser checks cursor.failed once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const unsigned char *at;
	const unsigned char *end;
	bool failed;
};

/* Borrowed bytes without a NUL at the end. */
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
/* Read text. cursor_until() takes the bytes before the first `stop`, which is consumed and not
 * returned, or up to the end if there is none. */
struct span cursor_until(struct cursor *c, char stop);
struct span cursor_line(struct cursor *c); /* until '\n' */
struct span cursor_word(struct cursor *c); /* skips blanks and tabs, then reads up to one */
uint64_t cursor_decimal(struct cursor *c); /* skips blanks; fails on no digit or overflow */
int64_t cursor_signed(struct cursor *c);
uint64_t cursor_hex(struct cursor *c); /* skips blanks; without 0x */
bool cursor_skip(struct cursor *c,
	const char *literal); /* true: it was next, and is skipped; false is no failure */
void cursor_blanks(struct cursor *c);

bool span_equal(struct span s, const char *text);
/* Compares bytes in the order of memcmp(3); a span that is the begin of the other comes first. */
int span_compare(struct span a, struct span b);
bool span_starts(struct span s, const char *prefix);
bool span_ends(struct span s, const char *suffix);
bool span_contains(struct span s, const char *needle);
/* Returns whether it is one of the words, which have a blank between them. */
bool span_is_word_of(struct span word, const char *words);
/* Returns whether any of the texts fits. SPAN_ANY(name, span_equal, names) takes an array. */
bool span_any(struct span s, bool (*fits)(struct span s, const char *text),
	const char *const *texts, size_t count);
#define SPAN_ANY(s, fits, texts) span_any(s, fits, texts, sizeof(texts) / sizeof((texts)[0]))
/* Returns the last `byte` of the span; NULL: there is none. */
const char *span_last(struct span s, char byte);
/* Returns the part of a path after its last slash. */
struct span path_base(struct span path);
/* Returns whether a path is the folder, or below it. */
bool path_is_within(struct span path, struct span folder);
/* Reads hexadecimal digits into bytes, where the form has dashes and anything else for digits. */
bool span_hex(struct span s, const char *form, unsigned char *out);
/* Reads the whole span as an unsigned decimal number. False: it is anything else. */
bool span_decimal(struct span s, uint64_t *value);
static inline struct span span_of(const char *data, size_t size)
{
	return (struct span){ data, size };
}
/* Arguments of "%.*s". */
#define SPAN_ARGS(s) (int)(s).size, (s).data
static inline struct span span_of_string(const char *string)
{
	return span_of(string, strlen(string));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounded reading. A failure moves the position to the end, so that a loop
 * that runs until cursor_at_end() ends also when its bytes made no sense.
 */
#include "base/cursor.h"

#include <assert.h>
#include <string.h>

static void fail_cursor(struct cursor *c)
{
	c->failed = true;
	c->at = c->end;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct cursor cursor_over(const void *data, size_t size)
{
	struct cursor c = { .at = data, .end = data, .failed = !data && size };

	/* Adding even 0 to NULL is undefined. */
	if (data)
		c.end = c.at + size;
	return c;
}

size_t cursor_left(const struct cursor *c)
{
	assert(c);
	return (size_t)(c->end - c->at);
}

bool cursor_at_end(const struct cursor *c)
{
	assert(c);
	return c->at == c->end;
}

/* Takes `size` bytes; the caller has checked that they are there. */
static struct span take_bytes(struct cursor *c, size_t size)
{
	struct span s = { (const char *)c->at, size };

	if (size)
		c->at += size;
	return s;
}

struct span cursor_bytes(struct cursor *c, size_t size)
{
	assert(c);
	if (c->failed || size > cursor_left(c)) {
		fail_cursor(c);
		size = 0;
	}
	return take_bytes(c, size);
}

static uint64_t little_endian(struct cursor *c, size_t size)
{
	struct span s = cursor_bytes(c, size);
	uint64_t value = 0;

	for (size_t i = s.size; i > 0; i--)
		value = value << 8 | (unsigned char)s.data[i - 1];
	return value;
}

uint8_t cursor_u8(struct cursor *c)
{
	return (uint8_t)little_endian(c, 1);
}

uint16_t cursor_u16(struct cursor *c)
{
	return (uint16_t)little_endian(c, 2);
}

uint32_t cursor_u32(struct cursor *c)
{
	return (uint32_t)little_endian(c, 4);
}

uint64_t cursor_u64(struct cursor *c)
{
	return little_endian(c, 8);
}

struct span cursor_until(struct cursor *c, char stop)
{
	assert(c);

	size_t left = cursor_left(c);
	const unsigned char *found = left ? memchr(c->at, (unsigned char)stop, left) : NULL;
	struct span s;

	if (!found)
		return take_bytes(c, left);
	s = take_bytes(c, (size_t)(found - c->at));
	c->at++;
	return s;
}

struct span cursor_line(struct cursor *c)
{
	return cursor_until(c, '\n');
}

struct span cursor_word(struct cursor *c)
{
	size_t size = 0, left;

	assert(c);
	cursor_blanks(c);
	left = cursor_left(c);
	while (size < left && !is_blank((char)c->at[size]))
		size++;
	return take_bytes(c, size);
}

static int digit_of(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/* Reads the digits at the position, at least one. */
static uint64_t read_digits(struct cursor *c, unsigned base)
{
	const unsigned char *first = c->at;
	uint64_t value = 0;

	for (; c->at < c->end; c->at++) {
		unsigned digit = (unsigned)digit_of(*c->at);

		if (digit >= base)
			break;
		if (value > (UINT64_MAX - digit) / base) {
			fail_cursor(c);
			return 0;
		}
		value = value * base + digit;
	}
	if (c->at == first)
		fail_cursor(c);
	return value;
}

uint64_t cursor_decimal(struct cursor *c)
{
	cursor_blanks(c);
	return read_digits(c, 10);
}

int64_t cursor_signed(struct cursor *c)
{
	uint64_t magnitude;
	bool negative;

	cursor_blanks(c);
	negative = cursor_skip(c, "-");
	magnitude = read_digits(c, 10);
	if (magnitude > (uint64_t)INT64_MAX + negative) {
		fail_cursor(c);
		return 0;
	}
	return (int64_t)(negative ? 0 - magnitude : magnitude);
}

uint64_t cursor_hex(struct cursor *c)
{
	cursor_blanks(c);
	return read_digits(c, 16);
}

bool cursor_skip(struct cursor *c, const char *literal)
{
	size_t size = strlen(literal);

	assert(c);
	if (c->failed || size > cursor_left(c) || (size && memcmp(c->at, literal, size) != 0))
		return false;
	take_bytes(c, size);
	return true;
}

void cursor_blanks(struct cursor *c)
{
	assert(c);
	while (c->at < c->end && is_blank((char)*c->at))
		c->at++;
}

bool span_equal(struct span s, const char *text)
{
	return s.size == strlen(text) && span_starts(s, text);
}

int span_compare(struct span a, struct span b)
{
	size_t size = a.size < b.size ? a.size : b.size;
	int order = size ? memcmp(a.data, b.data, size) : 0;

	return order ? order : (a.size > b.size) - (a.size < b.size);
}

bool span_starts(struct span s, const char *prefix)
{
	size_t size = strlen(prefix);

	return !size || (size <= s.size && memcmp(s.data, prefix, size) == 0);
}

bool span_ends(struct span s, const char *suffix)
{
	size_t size = strlen(suffix);

	return !size || (size <= s.size && memcmp(s.data + s.size - size, suffix, size) == 0);
}

bool span_contains(struct span s, const char *needle)
{
	size_t size = strlen(needle);

	return !size || (size <= s.size && memmem(s.data, s.size, needle, size));
}

bool span_is_word_of(struct span word, const char *words)
{
	struct cursor c = cursor_over(words, strlen(words));

	while (!cursor_at_end(&c)) {
		if (!span_compare(cursor_until(&c, ' '), word))
			return true;
	}
	return false;
}

bool span_any(struct span s, bool (*fits)(struct span s, const char *text),
	const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fits(s, texts[i]))
			return true;
	}
	return false;
}

bool span_hex(struct span s, const char *form, unsigned char *out)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	if (s.size != strlen(form))
		return false;
	for (size_t i = 0, count = 0; i < s.size; i++) {
		long value;
		const char *digit = memchr(digits, s.data[i], sizeof(digits) - 1);

		if (form[i] == '-' ? s.data[i] != '-' : !digit)
			return false;
		if (form[i] == '-')
			continue;
		value = digit - digits < 16 ? digit - digits : digit - digits - 6;
		out[count / 2] = (unsigned char)(out[count / 2] << 4 | value);
		count++;
	}
	return true;
}

bool span_decimal(struct span s, uint64_t *value)
{
	struct cursor c = cursor_over(s.data, s.size);
	uint64_t number = read_digits(&c, 10);

	if (c.failed || !cursor_at_end(&c))
		return false;
	*value = number;
	return true;
}

/* Does the same as memrchr(3), which macOS lacks. */
const char *span_last(struct span s, char byte)
{
	for (size_t i = s.size; i > 0; i--) {
		if (s.data[i - 1] == byte)
			return s.data + i - 1;
	}
	return NULL;
}

struct span path_base(struct span path)
{
	const char *slash = span_last(path, '/');

	return slash ? span_of(slash + 1, path.size - (size_t)(slash + 1 - path.data)) : path;
}

bool path_is_within(struct span path, struct span folder)
{
	return folder.size && path.size >= folder.size &&
	       !memcmp(path.data, folder.data, folder.size) &&
	       (path.size == folder.size || folder.data[folder.size - 1] == '/' ||
		       path.data[folder.size] == '/');
}

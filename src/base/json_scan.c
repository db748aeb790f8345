/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON reader. It does not recurse: the containers around a value are bits of a word. */
#include "base/json_scan.h"

#include <assert.h>

#include "base/escape.h"

#define NAME_ROOM 64 /* more than any name that is searched */

_Static_assert(JSON_SCAN_DEPTH <= 64, "a bit for each level");

static void skip_blanks(struct cursor *c)
{
	while (cursor_left(c) && memchr(" \t\r\n", *c->at, 4))
		c->at++;
}

static bool is_next(const struct cursor *c, char wanted)
{
	return cursor_left(c) && *c->at == (unsigned char)wanted;
}

static bool skip_char(struct cursor *c, char wanted)
{
	skip_blanks(c);
	if (!is_next(c, wanted))
		return false;
	c->at++;
	return true;
}

static bool is_digit(const struct cursor *c)
{
	return cursor_left(c) && *c->at >= '0' && *c->at <= '9';
}

static bool skip_digits(struct cursor *c)
{
	const unsigned char *begin = c->at;

	while (is_digit(c))
		c->at++;
	return c->at > begin;
}

static bool skip_number(struct cursor *c)
{
	cursor_skip(c, "-");
	if (!cursor_skip(c, "0") && !skip_digits(c))
		return false;
	if (cursor_skip(c, ".") && !skip_digits(c))
		return false;
	if (!cursor_skip(c, "e") && !cursor_skip(c, "E"))
		return true;
	if (!cursor_skip(c, "+"))
		cursor_skip(c, "-");
	return skip_digits(c);
}

static int hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads the four digits behind \u; -1: there are none. */
static int read_unit(struct cursor *c)
{
	int unit = 0;

	for (unsigned i = 0; i < 4; i++) {
		int digit = cursor_left(c) ? hex_digit(*c->at) : -1;

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
		c->at++;
	}
	return unit;
}

/* Reads one character of a string, and returns it; 0x80 for one that is not ASCII, -1 if it is
 * invalid. */
static int read_char(struct cursor *c)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *letter;
	size_t size;
	int unit;

	if (!cursor_left(c) || *c->at < ' ')
		return -1;
	if (*c->at != '\\') {
		size = utf8_length((const char *)c->at, cursor_left(c));
		unit = size == 1 ? *c->at : 0x80;
		c->at += size;
		return size ? unit : -1;
	}
	c->at++;
	if (cursor_skip(c, "u")) {
		unit = read_unit(c);
		return unit < 0x80 ? unit : 0x80;
	}
	letter = cursor_left(c) ? memchr(letters, *c->at, sizeof(letters) - 1) : NULL;
	c->at += letter != NULL;
	return letter ? meant[letter - letters] : -1;
}

static bool skip_string(struct cursor *c)
{
	if (!skip_char(c, '"'))
		return false;
	while (!is_next(c, '"')) {
		if (read_char(c) < 0)
			return false;
	}
	c->at++;
	return true;
}

static bool skip_scalar(struct cursor *c)
{
	if (is_next(c, '"'))
		return skip_string(c);
	if (cursor_skip(c, "true") || cursor_skip(c, "false") || cursor_skip(c, "null"))
		return true;
	return skip_number(c);
}

static bool skip_name(struct cursor *c)
{
	return skip_string(c) && skip_char(c, ':');
}

/* Containers around a place in the text. */
struct levels {
	uint64_t objects; /* a bit per level, the innermost lowest */
	unsigned depth;
};

static char closing_of(const struct levels *l)
{
	return l->objects & 1 ? '}' : ']';
}

static void leave_container(struct levels *l)
{
	l->objects >>= 1;
	l->depth--;
}

/* Enters a container, up to its first value. False: it is too deep, or has a member without name.
 */
static bool enter_container(struct cursor *c, struct levels *l, bool *is_empty)
{
	if (l->depth == JSON_SCAN_DEPTH)
		return false;
	l->objects = l->objects << 1 | (*c->at == '{');
	l->depth++;
	c->at++;
	*is_empty = skip_char(c, closing_of(l));
	if (*is_empty)
		leave_container(l);
	return *is_empty || !(l->objects & 1) || skip_name(c);
}

/* Skips what follows a value, up to the next one of its containers. */
static bool skip_to_next(struct cursor *c, struct levels *l)
{
	while (l->depth) {
		if (skip_char(c, ','))
			return !(l->objects & 1) || skip_name(c);
		if (!skip_char(c, closing_of(l)))
			return false;
		leave_container(l);
	}
	return true;
}

static bool skip_value(struct cursor *c)
{
	struct levels levels = { 0 };

	do {
		bool has_ended = true;

		skip_blanks(c);
		if (is_next(c, '{') || is_next(c, '[')) {
			if (!enter_container(c, &levels, &has_ended))
				return false;
		} else if (!skip_scalar(c)) {
			return false;
		}
		if (has_ended && !skip_to_next(c, &levels))
			return false;
	} while (levels.depth);
	return true;
}

bool json_scan_check(struct span text)
{
	struct cursor c = cursor_over(text.data, text.size);

	if (!skip_value(&c))
		return false;
	skip_blanks(&c);
	return cursor_at_end(&c);
}

enum json_kind json_scan_kind(struct span value)
{
	if (!value.size)
		return JSON_ABSENT;
	switch (*value.data) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 'n':
		return JSON_NULL;
	case 't':
	case 'f':
		return JSON_TRUTH;
	default:
		return JSON_NUMBER;
	}
}

bool json_scan_next(struct cursor *members, struct span *name, struct span *value)
{
	const unsigned char *begin;

	assert(members);
	if (!skip_char(members, '{') && !skip_char(members, ','))
		return false;
	skip_blanks(members);
	begin = members->at;
	if (!skip_string(members))
		return false;
	*name = span_of((const char *)begin, (size_t)(members->at - begin));
	if (!skip_char(members, ':'))
		return false;
	skip_blanks(members);
	begin = members->at;
	if (!skip_value(members))
		return false;
	*value = span_of((const char *)begin, (size_t)(members->at - begin));
	return true;
}

struct span json_scan_member(struct span object, const char *name)
{
	struct cursor members = cursor_over(object.data, object.size);
	struct span at, value;
	char word[NAME_ROOM];

	while (json_scan_next(&members, &at, &value)) {
		if (json_scan_word(at, word, sizeof(word)) && !strcmp(word, name))
			return value;
	}
	return span_of("", 0);
}

bool json_scan_word(struct span value, char *out, size_t room)
{
	struct cursor c = cursor_over(value.data, value.size);
	size_t size = 0;

	assert(room);
	out[0] = '\0';
	if (!skip_char(&c, '"'))
		return false;
	while (!is_next(&c, '"')) {
		int letter = read_char(&c);

		if (letter < ' ' || letter >= 0x7f || size + 1 >= room)
			return false;
		out[size++] = (char)letter;
		out[size] = '\0';
	}
	return true;
}

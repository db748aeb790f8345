/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small RFC 8259 checker that shares no code with the writer it checks, for
 * the unit tests and the fuzz target. json_check() is true when the text is
 * exactly `values` JSON values, blanks between.
 */
#ifndef SOOTH_TESTS_JSON_CHECK_H
#define SOOTH_TESTS_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct json_check {
	const char *at;
	const char *end;
};

static inline void jc_space(struct json_check *c)
{
	while (c->at < c->end && memchr(" \t\r\n", *c->at, 4))
		c->at++;
}

static inline bool jc_char(struct json_check *c, char wanted)
{
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

static inline size_t jc_digits(struct json_check *c)
{
	const char *from = c->at;

	while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
		c->at++;
	return (size_t)(c->at - from);
}

static inline bool jc_number(struct json_check *c)
{
	jc_char(c, '-');
	if (!jc_char(c, '0') && !jc_digits(c))
		return false;
	if (jc_char(c, '.') && !jc_digits(c))
		return false;
	if (!jc_char(c, 'e') && !jc_char(c, 'E'))
		return true;
	if (!jc_char(c, '-'))
		jc_char(c, '+');
	return jc_digits(c);
}

static inline bool jc_utf8(struct json_check *c)
{
	unsigned first = (unsigned char)*c->at++, more, code;

	if (first < 0x80)
		return true;
	more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
	code = first & (0x3f >> more);
	if (first < 0xc0 || first > 0xf7)
		return false;
	for (unsigned i = 0; i < more; i++) {
		if (c->at == c->end || ((unsigned char)*c->at & 0xc0) != 0x80)
			return false;
		code = code << 6 | ((unsigned char)*c->at++ & 0x3f);
	}
	return code >= (more == 1	   ? 0x80u
			       : more == 2 ? 0x800u
					   : 0x10000u) &&
	       code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

static inline bool jc_string(struct json_check *c)
{
	if (!jc_char(c, '"'))
		return false;
	while (c->at < c->end && *c->at != '"') {
		if ((unsigned char)*c->at < 0x20)
			return false;
		if (!jc_char(c, '\\')) {
			if (!jc_utf8(c))
				return false;
			continue;
		}
		if (c->at == c->end)
			return false;
		if (*c->at == 'u') {
			c->at++;
			for (unsigned i = 0; i < 4; i++, c->at++)
				if (c->at == c->end ||
					!memchr("0123456789abcdefABCDEF", *c->at, 22))
					return false;
		} else if (memchr("\"\\/bfnrt", *c->at, 8)) {
			c->at++;
		} else {
			return false;
		}
	}
	return jc_char(c, '"');
}

static inline bool jc_word(struct json_check *c, const char *word)
{
	size_t size = strlen(word);

	if ((size_t)(c->end - c->at) < size || memcmp(c->at, word, size) != 0)
		return false;
	c->at += size;
	return true;
}

static inline bool jc_value(struct json_check *c);

static inline bool jc_items(struct json_check *c, bool is_object)
{
	char close = is_object ? '}' : ']';

	jc_space(c);
	if (jc_char(c, close))
		return true;
	do {
		jc_space(c);
		if (is_object) {
			if (!jc_string(c))
				return false;
			jc_space(c);
			if (!jc_char(c, ':'))
				return false;
		}
		if (!jc_value(c))
			return false;
		jc_space(c);
	} while (jc_char(c, ','));
	return jc_char(c, close);
}

static inline bool jc_value(struct json_check *c)
{
	jc_space(c);
	if (jc_char(c, '{'))
		return jc_items(c, true);
	if (jc_char(c, '['))
		return jc_items(c, false);
	if (c->at < c->end && *c->at == '"')
		return jc_string(c);
	if (jc_word(c, "true") || jc_word(c, "false") || jc_word(c, "null"))
		return true;
	return jc_number(c);
}

static inline bool json_check(const char *text, size_t size, size_t values)
{
	struct json_check c = { text, size ? text + size : text };

	for (size_t i = 0; i < values; i++)
		if (!jc_value(&c))
			return false;
	jc_space(&c);
	return c.at == c.end;
}

#endif

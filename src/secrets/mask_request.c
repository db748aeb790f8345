/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A part of the path with a long word of random letters and digits is a token or an identifier: the
 * whole part is masked. Names of models and versions stay: their words are short, or have no
 * digits.
 */
#include "secrets/mask_request.h"

#include <string.h>

#include "secrets/mask_rules.h"

#define METHOD_LEAST 3
#define METHOD_MOST  7
#define WORD_LEAST   16
#define MIXED_LEAST  10 /* with upper case, lower case and digits */

struct word {
	size_t size;
	bool has_digit, has_lower, has_upper;
};

static bool is_secret_word(const struct word *w)
{
	bool is_mixed = w->has_digit && w->has_lower && w->has_upper;

	return (is_mixed && w->size >= MIXED_LEAST) ||
	       (w->has_digit && (w->has_lower || w->has_upper) && w->size >= WORD_LEAST);
}

static void add_character(struct word *w, char c)
{
	w->size++;
	w->has_digit |= ascii_is_digit(c);
	w->has_upper |= ascii_is_upper(c);
	w->has_lower |= ascii_is_alnum(c) && !ascii_is_digit(c) && !ascii_is_upper(c);
}

static bool has_secret_part(const char *part, size_t size)
{
	struct word w = { 0 };

	for (size_t i = 0; i < size; i++) {
		if (ascii_is_alnum(part[i])) {
			add_character(&w, part[i]);
			continue;
		}
		if (is_secret_word(&w))
			return true;
		w = (struct word){ 0 };
	}
	return is_secret_word(&w);
}

/* Returns the begin of the path; 0: it is no request line. */
static size_t path_at(const char *text, size_t size)
{
	size_t at = 0;

	while (at < size && at <= METHOD_MOST && ascii_is_upper(text[at]))
		at++;
	if (at < METHOD_LEAST || at > METHOD_MOST || at + 1 >= size || text[at] != ' ')
		return 0;
	return text[at + 1] == '/' ? at + 1 : 0;
}

/* Masks "CONNECT user:X@host:443" of a proxy's client. Returns false if there is only a host. */
static bool mask_connect(struct buffer *out, const char *text, size_t size)
{
	static const char method[] = "CONNECT ";
	size_t from = sizeof(method) - 1, at = 0;

	if (size <= from || memcmp(text, method, from) != 0)
		return false;
	for (size_t i = from; i < size && !memchr(" \r\n", text[i], 3); i++) {
		if (text[i] == '@')
			at = i;
	}
	if (!at)
		return false;
	buffer_append(out, text, from);
	buffer_string(out, "***");
	buffer_append(out, text + at, size - at);
	return true;
}

bool mask_request(struct buffer *out, const char *text, size_t size)
{
	size_t at = path_at(text, size);

	if (!at)
		return mask_connect(out, text, size);
	buffer_append(out, text, at);
	while (at < size && text[at] == '/') {
		size_t end = ++at;

		while (end < size && !memchr("/?# \r\n", text[end], 6))
			end++;
		buffer_char(out, '/');
		if (has_secret_part(text + at, end - at))
			buffer_string(out, "***");
		else
			buffer_append(out, text + at, end - at);
		at = end;
	}
	buffer_append(out, text + at, size - at);
	return true;
}

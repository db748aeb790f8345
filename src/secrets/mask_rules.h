/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules about single words, apart so that they can be read and extended without the walk through
 * the text. Only mask*.c includes this.
 */
#ifndef SOOTH_SECRETS_MASK_RULES_H
#define SOOTH_SECRETS_MASK_RULES_H

#include "base/cursor.h"

/* By ASCII and not by locale. */
static inline bool ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool ascii_is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static inline char ascii_lower(char c)
{
	return ascii_is_upper(c) ? (char)(c + 32) : c;
}

static inline bool ascii_is_alnum(char c)
{
	return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

/*
 * May a token begin at `at`? Inside a word only one that counts anywhere can: these letters begin
 * them, A L Q a g r s x.
 */
static inline bool mask_may_begin(const char *text, size_t at)
{
	char c = text[at];

	if (!ascii_is_alnum(c))
		return false;
	if (!at || !ascii_is_alnum(text[at - 1]))
		return true;
	return c >= 'A' && UINT64_C(0x86004100010801) >> (c - 'A') & 1;
}

enum name_kind {
	NAME_PLAIN,
	NAME_PLURAL, /* "keys", "tokens": a secret, unless its value is a mere figure */
	NAME_MODE,   /* "auth", "key": the same, unless it is a method or a field of sort */
	NAME_SECRET,
};

/* Does an option or variable of this name hold a secret? */
enum name_kind mask_name_kind(struct span name);
/* The same of a file of this name, even one for a size or a type. */
enum name_kind mask_file_name_kind(struct span name);
/* `--no-auth`, `--password-stdin`: a switch, nothing follows it. */
bool mask_name_is_switch(struct span name);
/* grep and its kin: the words behind it are patterns and files. */
bool mask_is_search(struct span word);
/* The size of the token of known shape at `at`, which is an ASCII letter or digit; 0: none. */
size_t mask_token_size(const char *text, size_t at, size_t size);
/* Not a word of a sentence: with a digit, a sign, or a capital within. */
bool mask_is_odd(struct span word);
/* Equal but for case; text is lower case. */
bool mask_same(struct span s, const char *text);
bool mask_contains(struct span s, const char *text);
/* Any case; the list is lower case and ends with NULL. */
bool mask_is_one_of(struct span word, const char *const *list);

#endif

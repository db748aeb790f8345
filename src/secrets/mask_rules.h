/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules about single words, separate from the walk through the text, so that they are easy to read
 * and extend. Only mask*.c includes this.
 */
#pragma once

#include "base/cursor.h"

/* Returns whether a character is an ASCII digit, whatever the locale is. */
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

/* Returns whether a token may begin at `at`. Inside a word only a distinctive token counts; these
 * begin with A L Q a g r s x. */
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
	NAME_PLURAL, /* "keys", "tokens": a secret, unless its value is a mere number */
	NAME_MODE,   /* "auth", "key": a secret, unless it is a method or a field of sort */
	NAME_SECRET,
};

/* Returns whether an option or variable of this name holds a secret. */
enum name_kind mask_name_kind(struct span name);
/* Returns the same for a file of this name, even a name for a size or a type. */
enum name_kind mask_file_name_kind(struct span name);
/* Returns whether a name is a switch without a value: `--no-auth`, `--password-stdin`. */
bool mask_name_is_switch(struct span name);
/* Returns whether a word is grep or similar: the next words are patterns and files. */
bool mask_is_search(struct span word);
/* Returns the size of the token of known shape at `at`, an ASCII letter or digit; 0: none. */
size_t mask_token_size(const char *text, size_t at, size_t size);
/* Returns whether a word is no word of a sentence: it has a digit, a sign, or a capital within. */
bool mask_is_odd(struct span word);
/* Returns whether `s` is `text`, which is in lower case, in any case. */
bool mask_same(struct span s, const char *text);
bool mask_contains(struct span s, const char *text);
/* Compares in any case; the list is in lower case and ends with NULL. */
bool mask_is_one_of(struct span word, const char *const *list);

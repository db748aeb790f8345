/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is asked about single words; apart so that the rules can be read and
 * extended without the walk through the text. Only mask*.c includes this.
 */
#ifndef SOOTH_BASE_MASK_RULES_H
#define SOOTH_BASE_MASK_RULES_H

#include "base/cursor.h"

enum name_kind {
	NAME_PLAIN,
	NAME_PLURAL, /* "keys", "tokens": a secret, unless its value is a mere figure */
	NAME_SECRET,
};

/* Does an option or variable of this name hold a secret? */
enum name_kind mask_name_kind(struct span name);
/* `--no-auth`, `--password-stdin`: a switch, nothing follows it. */
bool mask_name_is_switch(struct span name);
/* Does the word start with a token of known shape? is_start: nothing is glued to its front. */
bool mask_is_token(struct span word, bool is_start);
/* Equal but for case; text is lower case. */
bool mask_same(struct span s, const char *text);
/* Any case; the list is lower case and ends with NULL. */
bool mask_is_one_of(struct span word, const char *const *list);

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

/* Whether any token of mask_shapes.c may begin so; asked of every character of every text. */
static inline bool mask_may_be_token(const char text[3])
{
	switch (text[0]) {
	case 's': /* sk-, sk_ */
	case 'r': /* rk_ */
		return text[1] == 'k' && (text[2] == '-' || text[2] == '_');
	case 'g': /* github_pat_, ghp_, glpat- */
		return (text[1] == 'i' && text[2] == 't') ||
		       (text[1] == 'h' && text[2] >= 'o' && text[2] <= 'u') ||
		       (text[1] == 'l' && text[2] == 'p');
	case 'x': /* xoxb-, xapp- */
		return (text[1] == 'o' && text[2] == 'x') || (text[1] == 'a' && text[2] == 'p');
	case 'n': /* npm_ */
		return text[1] == 'p' && text[2] == 'm';
	case 'h': /* hf_ */
		return text[1] == 'f' && text[2] == '_';
	case 'e': /* eyJ */
		return text[1] == 'y' && text[2] == 'J';
	case 'A': /* AKIA, ASIA, AIza */
		return text[2] == 'I' || text[2] == 'z';
	default:
		return false;
	}
}

#endif

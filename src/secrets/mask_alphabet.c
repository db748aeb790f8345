/* SPDX-License-Identifier: BSD-2-Clause */
/* The characters that a token may have, and whether a token looks random. */
#include "secrets/mask_alphabet.h"

#include "secrets/mask_rules.h"

bool mask_is_of(enum alphabet alphabet, char c)
{
	switch (alphabet) {
	case DASHED:
		if (c == '-')
			return true;
		/* fall through */
	case HEX:
		return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
	case LOWER:
		return ascii_is_alnum(c) && !ascii_is_upper(c);
	case CAPITALS:
		if (c == '-')
			return true;
		/* fall through */
	case UPPER:
		return ascii_is_upper(c) || ascii_is_digit(c);
	case WIDE:
		if (c == '+' || c == '/' || c == '=')
			return true;
		/* fall through */
	case DOTTED:
		if (c == '.' || c == '~')
			return true;
		/* fall through */
	case WORD:
		if (c == '-' || c == '_')
			return true;
		/* fall through */
	case ALNUM:
		return ascii_is_alnum(c);
	}
	return false;
}

enum kind { OTHER, DIGIT, SMALL, CAPITAL };

static enum kind kind_of(char c)
{
	if (ascii_is_digit(c))
		return DIGIT;
	return ascii_is_upper(c) ? CAPITAL : ascii_is_alnum(c) ? SMALL : OTHER;
}

/* Returns whether a text looks random. In a random text, two characters are equal in less than one
 * case of eight (3 bits of entropy). If the alphabet has both cases, they change at every other
 * character, not once a word; if it has one, there are digits. */
bool mask_looks_random(struct span text, enum alphabet alphabet)
{
	uint32_t counts[128] = { 0 }, equal = 0, changes = 0, size = (uint32_t)text.size;
	bool has[4] = { false };

	for (size_t i = 0; i < text.size; i++) {
		enum kind kind = kind_of(text.data[i]);

		has[kind] = true;
		changes += i && kind != kind_of(text.data[i - 1]);
		equal += counts[text.data[i] & 127]++;
	}
	if (alphabet >= ALNUM ? !has[CAPITAL] || !has[SMALL] || changes * 4 < size : !has[DIGIT])
		return false;
	return equal * 2 * 8 < size * (size - 1);
}

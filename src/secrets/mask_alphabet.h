/* SPDX-License-Identifier: BSD-2-Clause */
/* The characters of tokens. Only mask*.c includes this. */
#ifndef SOOTH_SECRETS_MASK_ALPHABET_H
#define SOOTH_SECRETS_MASK_ALPHABET_H

#include "base/cursor.h"

enum alphabet {
	HEX,
	DASHED, /* and - */
	LOWER,	/* and digits, as below */
	UPPER,
	CAPITALS, /* as UPPER, and - */
	ALNUM,
	WORD,	/* and - _ */
	DOTTED, /* and . ~ */
	WIDE,	/* and + / = */
};

bool mask_is_of(enum alphabet alphabet, char c);
bool mask_looks_random(struct span text, enum alphabet alphabet);

#endif

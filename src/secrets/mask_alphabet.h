/* SPDX-License-Identifier: BSD-2-Clause */
/* The characters of tokens. Only mask*.c includes this. */
#pragma once

#include "base/cursor.h"

enum alphabet {
	HEX,
	DASHED, /* HEX and - */
	LOWER,	/* lower case and digits */
	UPPER,
	CAPITALS, /* UPPER and - */
	ALNUM,
	WORD,	/* ALNUM and - _ */
	DOTTED, /* WORD and . ~ */
	WIDE,	/* alphabet with + / = too */
};

bool mask_is_of(enum alphabet alphabet, char c);
bool mask_looks_random(struct span text, enum alphabet alphabet);

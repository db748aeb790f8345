/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/rotated_name.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"

/* As logrotate(8) and the handlers of logging libraries name them: a number or a date. */
static bool is_counter(struct span s)
{
	size_t digits = 0;

	for (size_t i = 0; i < s.size; i++) {
		if (isdigit((unsigned char)s.data[i]))
			digits++;
		else if (!strchr("-_.:T", s.data[i]))
			return false;
	}
	return digits > 0;
}

static bool is_word(struct span s)
{
	static const char *const words[] = { "old", "bak", "prev", "previous", "rotated", "orig" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (span_equal(s, words[i]))
			return true;
	}
	return false;
}

size_t rotated_name_base(struct span path)
{
	size_t begin = path.size;

	/* The shortest name that is left: of "a.log.2025-11-26" that is "a.log". */
	while (begin && path.data[begin - 1] != '/')
		begin--;
	for (size_t i = begin + 1; i < path.size; i++) {
		struct span rest = span_of(path.data + i + 1, path.size - i - 1);

		if ((path.data[i] == '.' && (is_counter(rest) || is_word(rest))) ||
			(path.data[i] == '-' && is_counter(rest)))
			return i;
	}
	return 0;
}

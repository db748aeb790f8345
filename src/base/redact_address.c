/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding addresses of the internet in a text; see redact.h. */
#include "base/redact.h"

#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Four numbers up to 255; more than that is a version. */
static size_t address_4(struct span text, bool *is_own)
{
	unsigned parts = 0, first = 0, all = 0;
	size_t at = 0;

	while (at < text.size && is_digit(text.data[at])) {
		unsigned number = 0;
		size_t start = at;

		while (at < text.size && is_digit(text.data[at]) && at - start < 3)
			number = number * 10 + (unsigned)(text.data[at++] - '0');
		if (number > 255)
			return 0;
		first = parts ? first : number;
		all |= number;
		if (++parts == 4 || at == text.size || text.data[at] != '.')
			break;
		at++;
	}
	if (parts != 4 || (at < text.size && (is_digit(text.data[at]) ||
						     (text.data[at] == '.' && at + 1 < text.size &&
							     is_digit(text.data[at + 1])))))
		return 0;
	*is_own = first == 127 || !all;
	return at;
}

/* Groups of up to four digits with colons between: eight, or "::" among them. */
static size_t address_6(struct span text, bool *is_own)
{
	unsigned colons = 0, digits = 0;
	bool has_gap = false, has_other = false;
	size_t at;

	for (at = 0; at < text.size; at++) {
		char c = text.data[at];

		if (c == ':') {
			has_gap |= at && text.data[at - 1] == ':';
			colons++;
			digits = 0;
		} else if (is_hex(c) && ++digits <= 4) {
			has_other |= c != '0' && !(c == '1' && at + 1 == text.size);
		} else {
			break;
		}
	}
	if (digits > 4 || colons < 2 || (!has_gap && colons != 7))
		return 0;
	/* "::1" and "::", also before a bracket. */
	*is_own = !has_other || (at == 3 && !memcmp(text.data, "::1", 3));
	return at;
}

size_t redact_address(struct span text, bool *is_own)
{
	size_t length = address_4(text, is_own);

	return length ? length : address_6(text, is_own);
}

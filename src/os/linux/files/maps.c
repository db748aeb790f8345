/* SPDX-License-Identifier: BSD-2-Clause */
/* Mappings from procfs. */
#include "os/linux/files/maps.h"

/* Parses a line "from-to rwxp offset major:minor inode   path". */
bool maps_parse(struct span line, struct maps_line *out)
{
	struct cursor c = cursor_over(line.data, line.size);
	struct maps_line m = { 0 };
	struct span flags;

	m.from = cursor_hex(&c);
	cursor_skip(&c, "-");
	m.to = cursor_hex(&c);
	flags = cursor_word(&c);
	m.is_readable = span_contains(flags, "r");
	m.is_writable = span_contains(flags, "w");
	m.is_executable = span_contains(flags, "x");
	m.is_shared = span_contains(flags, "s");
	cursor_blanks(&c);
	m.offset = cursor_hex(&c);
	cursor_blanks(&c);
	m.device_major = (uint32_t)cursor_hex(&c);
	cursor_skip(&c, ":");
	m.device_minor = (uint32_t)cursor_hex(&c);
	m.inode = cursor_decimal(&c);
	cursor_blanks(&c);
	m.path = span_of((const char *)c.at, cursor_left(&c));
	if (c.failed)
		return false;
	*out = m;
	return true;
}

bool maps_next(struct cursor *lines, struct maps_line *out)
{
	while (!cursor_at_end(lines)) {
		if (maps_parse(cursor_line(lines), out))
			return true;
	}
	return false;
}

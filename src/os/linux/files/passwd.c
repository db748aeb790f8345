/* SPDX-License-Identifier: BSD-2-Clause */
/* name:password:uid:gid:gecos:home:shell */
#include "os/linux/files/passwd.h"

#include <string.h>

bool passwd_home(struct span *home, const void *data, size_t size, uint32_t uid)
{
	struct cursor file = cursor_over(data, size);

	while (!cursor_at_end(&file)) {
		struct span line = cursor_line(&file), found;
		struct cursor c = cursor_over(line.data, line.size);
		uint64_t number;

		cursor_until(&c, ':');
		cursor_until(&c, ':');
		if (!span_decimal(cursor_until(&c, ':'), &number) || number != uid)
			continue;
		cursor_until(&c, ':');
		cursor_until(&c, ':');
		found = cursor_until(&c, ':');
		if (!span_starts(found, "/") || memchr(found.data, 0, found.size))
			continue;
		*home = found;
		return true;
	}
	return false;
}

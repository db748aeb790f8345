/* SPDX-License-Identifier: BSD-2-Clause */
/* See plain_path.h. */
#include "base/plain_path.h"

#include <string.h>

/* Applies "..": goes back to the slash before the last part. */
static void leave_folder(struct buffer *path)
{
	while (path->size && path->data[path->size - 1] != '/')
		path->size--;
	path->size -= path->size > 0;
}

void plain_path_add(struct buffer *plain, struct span path)
{
	size_t at = 0;

	while (at < path.size) {
		const char *part = path.data + at;
		const char *slash = memchr(part, '/', path.size - at);
		size_t size = slash ? (size_t)(slash - part) : path.size - at;

		if (size == 2 && !memcmp(part, "..", 2)) {
			leave_folder(plain);
		} else if (size && !(size == 1 && *part == '.')) {
			buffer_char(plain, '/');
			buffer_append(plain, part, size);
		}
		at += size + 1;
	}
}

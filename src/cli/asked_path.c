/* SPDX-License-Identifier: BSD-2-Clause */
/* See asked_path.h. What does not exist yet may be asked for, too. */
#include "cli/asked_path.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"

/* "..": back to the slash before the last part. */
static void leave_folder(struct buffer *path)
{
	while (path->size && path->data[path->size - 1] != '/')
		path->size--;
	path->size -= path->size > 0;
}

static void add_parts(struct buffer *path, const char *parts)
{
	while (*parts) {
		size_t size = strcspn(parts, "/");

		if (size == 2 && !memcmp(parts, "..", 2)) {
			leave_folder(path);
		} else if (size && !(size == 1 && *parts == '.')) {
			buffer_char(path, '/');
			buffer_append(path, parts, size);
		}
		parts += size + (parts[size] == '/');
	}
}

int asked_path_read(struct asked_path *p, const char *asked, struct sooth_error *err)
{
	struct buffer whole = { 0 };
	char folder[PATH_MAX];

	if (!asked)
		return 0;
	if (!*asked) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand an empty path");
		return error_remedy(err, "name a file or a folder: -P /etc");
	}
	if (*asked != '/' && getcwd(folder, sizeof(folder)))
		add_parts(&whole, folder);
	add_parts(&whole, asked);
	if (!whole.size)
		buffer_char(&whole, '/');
	p->path = buffer_failed(&whole) ? NULL : strdup(buffer_cstr(&whole));
	buffer_fini(&whole);
	if (!p->path)
		return error_no_memory(err);
	p->real = realpath(p->path, NULL);
	if (p->real && !strcmp(p->real, p->path)) {
		free(p->real);
		p->real = NULL;
	}
	return 0;
}

void asked_path_fini(struct asked_path *p)
{
	free(p->path);
	free(p->real);
}

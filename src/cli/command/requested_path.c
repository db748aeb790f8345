/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths that the user names. A file may not exist yet. */
#include "cli/command/requested_path.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/plain_path.h"

/* "link/.." is the parent of the link's target: then it has one name only. */
static void find_real(struct requested_path *p, const char *asked)
{
	char *plain = realpath(p->path, NULL);

	p->real = realpath(asked, NULL);
	if (p->real && (!plain || strcmp(p->real, plain) != 0)) {
		free(p->path);
		p->path = TAKE_PTR(p->real);
	}
	if (p->real && !strcmp(p->real, p->path)) {
		free(p->real);
		p->real = NULL;
	}
	free(plain);
}

int requested_path_read(struct requested_path *p, const char *asked, struct sooth_error *err)
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
		plain_path_add(&whole, span_of(folder, strlen(folder)));
	plain_path_add(&whole, span_of(asked, strlen(asked)));
	if (!whole.size)
		buffer_char(&whole, '/');
	p->path = buffer_failed(&whole) ? NULL : strdup(buffer_cstr(&whole));
	buffer_fini(&whole);
	if (!p->path)
		return error_no_memory(err);
	find_real(p, asked);
	return 0;
}

void requested_path_fini(struct requested_path *p)
{
	free(p->path);
	free(p->real);
}

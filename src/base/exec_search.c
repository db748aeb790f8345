/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/exec_search.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMAND_WORDS_MAX 4096

/* Runs a script by a shell if its first line names no interpreter (exec(3)). */
static int exec_script(const char *path, char *const *command)
{
	char *arguments[COMMAND_WORDS_MAX + 2] = { (char *)(uintptr_t) "sh",
		(char *)(uintptr_t)path };

	for (size_t i = 1; command[i]; i++) {
		if (i == COMMAND_WORDS_MAX)
			return -E2BIG;
		arguments[i + 1] = command[i];
	}
	execv("/bin/sh", arguments);
	return -errno;
}

static int exec_path(const char *path, char *const *command)
{
	execv(path, command);
	return errno == ENOEXEC ? exec_script(path, command) : -errno;
}

bool exec_search_next(const char *name, const char **at, char path[PATH_MAX])
{
	bool is_found = false;

	if (!*at) {
		*at = getenv("PATH");
		*at = *at ? *at : "/bin:/usr/bin";
	}
	while (**at && !is_found) {
		size_t size = strcspn(*at, ":");

		is_found = snprintf(path, PATH_MAX, "%.*s%s%s", (int)size, *at, size ? "/" : "./",
				   name) < PATH_MAX &&
			   !access(path, X_OK);
		*at += size + ((*at)[size] == ':');
	}
	return is_found;
}

int exec_search(char *const *command)
{
	char path[PATH_MAX];
	const char *at = NULL;
	int code = -ENOENT;

	if (strchr(command[0], '/'))
		return exec_path(command[0], command);
	while (exec_search_next(command[0], &at, path))
		code = exec_path(path, command);
	return code;
}

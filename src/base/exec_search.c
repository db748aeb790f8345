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

/* A script whose first line names no interpreter is run by a shell (exec(3)). */
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

int exec_search(char *const *command)
{
	const char *path = getenv("PATH");
	char candidate[PATH_MAX];
	int code = -ENOENT;

	if (strchr(command[0], '/'))
		return exec_path(command[0], command);
	for (path = path ? path : "/bin:/usr/bin"; *path;) {
		size_t size = strcspn(path, ":");

		if (snprintf(candidate, sizeof(candidate), "%.*s%s%s", (int)size, path,
			    size ? "/" : "./", command[0]) < (int)sizeof(candidate) &&
			!access(candidate, X_OK))
			code = exec_path(candidate, command);
		path += size + (path[size] == ':');
	}
	return code;
}

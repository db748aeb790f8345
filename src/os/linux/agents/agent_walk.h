/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that a pattern of an agent stands for, in the root of a process. May wait for a disk.
 */
#ifndef SOOTH_OS_LINUX_AGENT_WALK_H
#define SOOTH_OS_LINUX_AGENT_WALK_H

#include <sys/stat.h>

#include "core/agent_path.h"

struct agent_walk {
	int root;
	const struct agent_path *values;
	const char *project_file; /* of {project}; "": none */
	/* A regular file of such a name, no link; false: enough. */
	bool (*visit)(void *user, const char *path, const struct stat *st);
	void *user;
	unsigned seen; /* names looked at */
};

/* 0 also when there is none; -E2BIG when there are more names than are looked at, or another
 * negative errno. */
int agent_walk(struct agent_walk *walk, const char *home, const char *pattern);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the files that match a pattern of an agent, in the root of a process. May wait for a
 * disk. */
#pragma once

#include <sys/stat.h>

#include "recognize/agent_path.h"

struct agent_walk {
	int root;
	const struct agent_path *values;
	const char *project_file; /* of {project}; "": none */
	/* Gets a matching regular file that is no link; false stops the walk. */
	bool (*visit)(void *user, const char *path, const struct stat *st);
	void *user;
	unsigned seen;	     /* names compared so far */
	uint64_t end_cpu_ns; /* CLOCK_THREAD_CPUTIME_ID; 0: no end */
};

/* Walks. Returns 0, also if none matches; -E2BIG: there are more names than the limit; -EDQUOT: it
 * takes too long; or another negative errno. */
int agent_walk(struct agent_walk *walk, const char *home, const char *pattern);

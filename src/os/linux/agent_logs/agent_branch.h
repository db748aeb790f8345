/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the git branch of a directory. May wait for a file system: call it with a timeout. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define AGENT_BRANCH_MAX 127

/* Reads HEAD of the nearest repository at or above the directory, in the root of a process. Returns
 * 0, and "" if no branch is checked out there; -ENOENT: no repository; or another negative
 * errno. */
int agent_branch_read(char branch[AGENT_BRANCH_MAX + 1], int root, const char *directory);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * execvp(3) tries an exec in each directory of PATH, and each failed try would count as a failed
 * exec of the command. These functions search with access(2), and execute only an existing file.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

/* Finds the next executable file `name` in the directories of PATH; *at begins as NULL. A name with
 * a slash is not searched. False: there is none. */
bool exec_search_next(const char *name, const char **at, char path[PATH_MAX]);
/* Executes the command. A script whose first line names no interpreter is run by a shell (exec(3)).
 * Returns only on failure, a negative errno. */
int exec_search(char *const *command);

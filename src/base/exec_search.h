/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * execvp(3) tries an exec in each directory of PATH, and every failed one would be counted as the
 * command's. So the search is made here, by access(2), and only an existing file is executed.
 */
#ifndef SOOTH_BASE_EXEC_SEARCH_H
#define SOOTH_BASE_EXEC_SEARCH_H

#include <limits.h>
#include <stdbool.h>

/* The next executable file of that name in the directories of PATH; *at begins as NULL. A name with
 * a slash is not searched. False: there is none. */
bool exec_search_next(const char *name, const char **at, char path[PATH_MAX]);
/* Executes the command. A script whose first line names no interpreter is run by a shell (exec(3)).
 * Returns only on failure, a negative errno. */
int exec_search(char *const *command);

#endif

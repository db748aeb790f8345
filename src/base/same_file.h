/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether two paths are the same file, by the file's identity, not by the spelling. */
#pragma once

#include <stdbool.h>

/* Returns whether two paths are the same file: ./x and x, a symbolic and a hard link, or two
 * spellings of a name whose file does not exist yet. Any other kind of file (a device, a pipe, a
 * folder) keeps nothing that could be lost, and is never the same. Files that cannot be compared
 * count as different. */
bool file_is_same(const char *a, const char *b);
/* Returns whether the file at `path` is the one that is open as `fd`. */
bool file_is_open_as(const char *path, int fd);

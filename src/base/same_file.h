/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether two paths are the same file, by its identity, not by the spelling. */
#ifndef SOOTH_BASE_SAME_FILE_H
#define SOOTH_BASE_SAME_FILE_H

#include <stdbool.h>

/*
 * ./x and x, a symbolic and a hard link are the same; so are two spellings of a name whose file is
 * still to be made. Any other kind of file (a device, a pipe, a folder) keeps nothing that could be
 * lost, and is the same as none. Files that cannot be compared count as different.
 */
bool file_is_same(const char *a, const char *b);
/* Returns whether the file of that path is the one that is open as `fd`. */
bool file_is_open_as(const char *path, int fd);

#endif

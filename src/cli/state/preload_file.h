/* SPDX-License-Identifier: BSD-2-Clause */
/* The library for launched programs, where sooth is one file that has it inside. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"

/* Returns whether this sooth is one file that has the library inside. */
bool preload_file_is_inside(void);
/* Writes the library into the cache of the user, unless it is there. Programs that outlive sooth
 * still name it, so it stays. Sets the path also if that fails; empty: this sooth has none inside.
 */
int preload_file_write(char path[PATH_MAX], struct sooth_error *err);
/* Removes what preload_file_write() wrote; an empty path: there is none. */
void preload_file_remove(char path[PATH_MAX]);

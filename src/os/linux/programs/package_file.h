/* SPDX-License-Identifier: BSD-2-Clause */
/* The npm package of a script or an executable: the nearest package.json with a name, in its folder
 * or above, which is node's rule. Links to the script (npm's .bin) are followed, in the root of the
 * process. Only name and version are read, and only if they have the right form. */
#pragma once

#include "base/cursor.h"

#define PACKAGE_NAME_SIZE    80
#define PACKAGE_VERSION_SIZE 48
#define PACKAGE_PATH_SIZE    1024
#define PACKAGE_FILE_MAX     (64u << 10)

struct package {
	char name[PACKAGE_NAME_SIZE]; /* "": none was found */
	char version[PACKAGE_VERSION_SIZE];
};

/* Reads the text of a package.json; a missing value is "". */
void package_parse(struct package *package, const void *data, size_t size);
/* Finds the package. `process`: descriptor of /proc/PID; `path`: absolute there. Returns 0 or a
 * negative errno. May wait for the disk. */
int package_find(struct package *package, int process, const char *path);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the script that an interpreter runs, in its command line, and the npm package of a path. */
#pragma once

#include <stdbool.h>

#include "base/cursor.h"

enum interpreter {
	INTERPRETER_NONE,
	INTERPRETER_JAVASCRIPT, /* node, bun, deno */
	INTERPRETER_PYTHON,
};

/* Returns whether a name is the program with or without a version: python, python3, python3.11. */
bool script_is_version_of(struct span name, const char *program);
enum interpreter interpreter_of(struct span executable);

struct script {
	struct span path;   /* path as in the command line; empty: the command has no script */
	struct span module; /* Python's -m */
};

/* Finds the first argument that is neither an option nor an option's value. A NUL ends each
 * argument. */
struct script script_of(enum interpreter interpreter, struct span arguments);

/* Returns the rest of the path after these folders ("a/b"), which are whole components next to each
 * other; empty: the path is not below them. */
struct span path_below(struct span path, const char *folders);
/* Returns "@scope/name" or "name" after the last component node_modules; empty: none. `rest` (may
 * be NULL) becomes the part after the package. */
struct span path_package(struct span path, struct span *rest);

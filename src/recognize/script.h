/* SPDX-License-Identifier: BSD-2-Clause */
/* Which script an interpreter runs, from its command line, and which npm package a path is in. */
#ifndef SOOTH_RECOGNIZE_SCRIPT_H
#define SOOTH_RECOGNIZE_SCRIPT_H

#include <stdbool.h>

#include "base/cursor.h"

enum interpreter {
	INTERPRETER_NONE,
	INTERPRETER_JAVASCRIPT, /* node, bun, deno */
	INTERPRETER_PYTHON,
};

/* python, python3, python3.11 */
bool script_is_version_of(struct span name, const char *program);
enum interpreter interpreter_of(struct span executable);

struct script {
	struct span path;   /* as it was given; empty: there is none */
	struct span module; /* Python's -m */
};

/* The first argument that is neither an option nor the value of one. Arguments are NUL-separated.
 */
struct script script_of(enum interpreter interpreter, struct span arguments);

/* Where the path goes on behind these folders ("a/b"), which are whole components of it, next to
 * each other; empty: it is not below them. */
struct span path_below(struct span path, const char *folders);
/* "@scope/name" or "name" behind the last component node_modules; empty: none. `rest` (may be NULL)
 * is what follows. */
struct span path_package(struct span path, struct span *rest);

#endif

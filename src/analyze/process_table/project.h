/* SPDX-License-Identifier: BSD-2-Clause */
/* The project of a process, by the rule of the older tools. */
#ifndef SOOTH_ANALYZE_PROJECT_H
#define SOOTH_ANALYZE_PROJECT_H

#include "base/cursor.h"

/*
 * The NAME of --append-system-prompt "Working in: NAME @TTY" in the NUL-separated arguments; else
 * the last component of the git work tree; else of the working directory. Borrowed; empty: unknown.
 */
struct span project_of(struct span arguments, struct span root, struct span directory);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Which project a process works on, by the rule that users of the older tools rely on. */
#ifndef SOOTH_ANALYZE_PROJECT_H
#define SOOTH_ANALYZE_PROJECT_H

#include "base/cursor.h"

/*
 * What --append-system-prompt "Working in: NAME @TTY" of the NUL-separated arguments says;
 * else the last part of the top directory of the git working tree; else that of the working
 * directory. Borrowed; empty: none is known.
 */
struct span project_of(struct span arguments, struct span root, struct span directory);

#endif

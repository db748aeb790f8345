/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a thread is for, by its name. Names are the program's own word, and another program
 * may mean something else by one: a role is a hint, not a measurement.
 */
#ifndef SOOTH_ANALYZE_THREAD_ROLES_H
#define SOOTH_ANALYZE_THREAD_ROLES_H

#include <sooth/field.h>

#include "base/cursor.h"

enum thread_role {
	THREAD_ROLE_UNKNOWN,
	THREAD_ROLE_MAIN,
	THREAD_ROLE_GC,
	THREAD_ROLE_JIT,
	THREAD_ROLE_HTTP,
	THREAD_ROLE_POOL,
	THREAD_ROLE_WORKER, /* a thread of the program's own language */
	THREAD_ROLE_ALLOCATOR,
	THREAD_ROLE_WATCHER, /* of files */
	THREAD_ROLE_TIMER,
	THREAD_ROLE_DATABASE,
	THREAD_ROLE_SIGNAL,
	THREAD_ROLE_CHILD, /* waits for processes that were started */
	THREAD_ROLE_IO,
	THREAD_ROLE_LOG,
	THREAD_ROLE_DEBUGGER,
	THREAD_ROLE_OTHER, /* known, or nameless, and none of these */
	THREAD_ROLES,
};

extern const struct sooth_names thread_role_names; /* by it */

/* `process` is the name of its first thread; who has not named a thread leaves it that of the
 * thread that started it. */
enum thread_role thread_role_of(struct span name, struct span process, bool is_first);

#endif

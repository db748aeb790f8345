/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The role of a thread, from its name. Programs choose the names, and another program may use a
 * name differently: a role is a hint, not a measurement.
 */
#pragma once

#include <sooth/field.h>

#include "base/cursor.h"

enum thread_role {
	THREAD_ROLE_UNKNOWN,
	THREAD_ROLE_MAIN,
	THREAD_ROLE_GC,
	THREAD_ROLE_JIT,
	THREAD_ROLE_HTTP,
	THREAD_ROLE_POOL,
	THREAD_ROLE_WORKER, /* runs code of the program's own language */
	THREAD_ROLE_ALLOCATOR,
	THREAD_ROLE_WATCHER, /* watches files */
	THREAD_ROLE_TIMER,
	THREAD_ROLE_DATABASE,
	THREAD_ROLE_SIGNAL,
	THREAD_ROLE_CHILD, /* waits for child processes */
	THREAD_ROLE_IO,
	THREAD_ROLE_LOG,
	THREAD_ROLE_DEBUGGER,
	THREAD_ROLE_OTHER, /* the thread has the name of its process, or a known name with none of
			      these roles */
	THREAD_ROLES,
};

extern const struct sooth_names thread_role_names; /* names, by enum thread_role */

/*
 * `process` is the name of the first thread; an unnamed thread has the name of the thread that
 * started it.
 */
enum thread_role thread_role_of(struct span name, struct span process, bool is_first);

/*
 * Whether a thread only serves the runtime (garbage collection, compiling, timers), and does not
 * wake threads of the program by itself. `index`: its index among the threads of the process.
 */
bool thread_is_service(struct span name, size_t index);

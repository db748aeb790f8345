/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/threads/thread_roles.h"

#include "base/cleanup.h"

struct thread_row {
	const char *name;
	enum thread_role role;
};

static const struct thread_row rows[] = {
#define THREAD(name, role) { name, THREAD_ROLE_##role },
#include "analyze/threads/thread_roles.def"
#undef THREAD
};

static const char *const names[THREAD_ROLES] = {
	[THREAD_ROLE_UNKNOWN] = "unknown",
	[THREAD_ROLE_MAIN] = "main",
	[THREAD_ROLE_GC] = "gc",
	[THREAD_ROLE_JIT] = "jit",
	[THREAD_ROLE_HTTP] = "http",
	[THREAD_ROLE_POOL] = "pool",
	[THREAD_ROLE_WORKER] = "worker",
	[THREAD_ROLE_ALLOCATOR] = "allocator",
	[THREAD_ROLE_WATCHER] = "watcher",
	[THREAD_ROLE_TIMER] = "timer",
	[THREAD_ROLE_DATABASE] = "database",
	[THREAD_ROLE_SIGNAL] = "signal",
	[THREAD_ROLE_CHILD] = "child",
	[THREAD_ROLE_IO] = "io",
	[THREAD_ROLE_LOG] = "log",
	[THREAD_ROLE_DEBUGGER] = "debugger",
	[THREAD_ROLE_OTHER] = "other",
};
const struct sooth_names thread_role_names = { THREAD_ROLES, names };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool matches_pattern(const char *pattern, struct span name)
{
	size_t at = 0;

	for (; *pattern && *pattern != '*'; pattern++) {
		/* Some names contain a literal #: "GC Thread#0". */
		if (*pattern == '#' && at < name.size && is_digit(name.data[at])) {
			while (at < name.size && is_digit(name.data[at]))
				at++;
			continue;
		}
		if (at == name.size || name.data[at++] != *pattern)
			return false;
	}
	return *pattern == '*' || at == name.size;
}

static bool is_helper_role(enum thread_role role)
{
	return role == THREAD_ROLE_GC || role == THREAD_ROLE_JIT || role == THREAD_ROLE_ALLOCATOR ||
	       role == THREAD_ROLE_TIMER || role == THREAD_ROLE_DEBUGGER;
}

bool thread_is_service(struct span name, size_t index)
{
	static const char *const services[] = { "Signal Dispatch", "Service Thread",
		"Monitor Deflati", "Notification Th" };

	if (!index)
		return false;
	/* Before node 22, V8's timer thread has the program's name and is started first. */
	if (index == 1 && span_equal(name, "node"))
		return true;
	if (SPAN_ANY(name, span_equal, services))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (matches_pattern(rows[i].name, name))
			return is_helper_role(rows[i].role);
	}
	return false;
}

enum thread_role thread_role_of(struct span name, struct span process, bool is_first)
{
	if (is_first)
		return THREAD_ROLE_MAIN;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (matches_pattern(rows[i].name, name))
			return rows[i].role;
	}
	return name.size && !span_compare(name, process) ? THREAD_ROLE_OTHER : THREAD_ROLE_UNKNOWN;
}

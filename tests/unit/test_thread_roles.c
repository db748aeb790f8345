/* SPDX-License-Identifier: BSD-2-Clause */
/* Roles that names of threads stand for. */
#include "support.h"

#include "analyze/threads/thread_roles.h"

static const struct {
	const char *name, *process, *role;
} cases[] = {
	/* Seen on Claude Code, opencode, Codex, node 24, HotSpot 17. */
	{ "HTTP Client", "claude", "http" },
	{ "Bun Pool 0", "claude", "pool" },
	{ "Bun Pool 12", "claude", "pool" },
	{ "HeapHelper", "claude", "gc" },
	{ "ollector Thread", "opencode", "gc" },
	{ "t Helper Thread", "opencode", "jit" },
	{ "mi-scavenger", "claude", "allocator" },
	{ "fs.watch", "claude", "watcher" },
	{ "notify-rs inoti", "codex", "watcher" },
	{ "sqlx-sqlite-wor", "codex", "database" },
	{ "codex-child-rea", "codex", "child" },
	{ "blocking-1", "codex", "pool" },
	{ "DelayedTaskSche", "MainThread", "timer" },
	{ "node", "claude", "pool" },
	{ "GC Thread#0", "java", "gc" },
	{ "GC Thread#13", "java", "gc" },
	{ "HttpClient-1-Se", "java", "http" },
	{ "pool-2-thread-1", "java", "pool" },
	/* Nobody has named it. */
	{ "opencode", "opencode", "other" },
	/* Near misses. */
	{ "Bun Pool", "claude", NULL },
	{ "Bun Pool ", "claude", NULL },
	{ "Bun Pool x", "claude", NULL },
	{ "Bun Pool 1x", "claude", NULL },
	{ "node2", "claude", NULL },
	{ "blocking-", "codex", NULL },
	{ "pool-x-thread-1", "java", NULL },
	{ "", "", NULL },
	{ "python3", "bash", NULL },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct span name = span_of(cases[i].name, strlen(cases[i].name));
		struct span process = span_of(cases[i].process, strlen(cases[i].process));
		enum thread_role role = thread_role_of(name, process, false);

		if (cases[i].role)
			assert_string_equal(thread_role_names.names[role], cases[i].role);
		else
			assert_int_equal(role, THREAD_ROLE_UNKNOWN);
		assert_int_equal(thread_role_of(name, process, true), THREAD_ROLE_MAIN);
	}
}

/* Each row can hold: its name is no longer than the kernel keeps, and no row before it takes it. */
static void test_rows(void **state)
{
	static const struct {
		const char *name;
		enum thread_role role;
	} rows[] = {
#define THREAD(name, role) { name, THREAD_ROLE_##role },
#include "analyze/threads/thread_roles.def"
#undef THREAD
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t size = strcspn(rows[i].name, "*");

		assert_in_range(size, 1, 15);
		/* "#" itself fits too: only a digit is a number. */
		if (!strchr(rows[i].name, '#') || strstr(rows[i].name, "#*"))
			assert_int_equal(
				thread_role_of(span_of(rows[i].name, size), span_of("", 0), false),
				rows[i].role);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(rows[i].name, rows[k].name);
	}
	for (unsigned role = 0; role < THREAD_ROLES; role++)
		assert_non_null(thread_role_names.names[role]);
}

/* Threads that wake no other by themselves; the first thread is none of them. */
static void test_services(void **state)
{
	static const char *const services[] = { "DelayedTaskSche", "GC Thread#0", "VM Periodic Tas",
		"C2 CompilerThre", "Signal Dispatch", "Monitor Deflati", "SignalInspector" };
	static const char *const others[] = { "V8Worker", "libuv-worker", "Worker", "prog",
		"pool-1-thread-1", "ctrl-c", "gmain" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		assert_true(thread_is_service(span_of(services[i], strlen(services[i])), 3));
		assert_false(thread_is_service(span_of(services[i], strlen(services[i])), 0));
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(thread_is_service(span_of(others[i], strlen(others[i])), 1));
	assert_true(thread_is_service(span_of("node", 4), 1));
	assert_false(thread_is_service(span_of("node", 4), 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* States of PostgreSQL's sessions, by their titles. */
#include "support.h"

#include "os/linux/waits/database_sessions.h"

static void test_titles(void **state)
{
	static const struct {
		const char *title;
		enum database_session is;
	} cases[] = {
		{ "postgres: bob shop [local] idle", DATABASE_SESSION_IDLE },
		{ "postgres: 15/main: bob shop 10.0.0.2(5032) idle", DATABASE_SESSION_IDLE },
		{ "postgres: bob shop [local] idle in transaction", DATABASE_SESSION_HOLDS },
		{ "postgres: bob shop [local] idle in transaction (aborted)",
			DATABASE_SESSION_NONE },
		{ "postgres: bob shop [local] ALTER TABLE waiting", DATABASE_SESSION_WAITS },
		{ "postgres: bob shop [local] COMMIT waiting for 0/15A2B3C8",
			DATABASE_SESSION_COMMITS },
		{ "postgres: bob shop [local] SELECT", DATABASE_SESSION_WORKS },
		{ "postgres: x waiting for 0/1 shop 127.0.0.1(58786) authentication",
			DATABASE_SESSION_NONE },
		{ "postgres: x idle in transaction shop [local] idle", DATABASE_SESSION_IDLE },
		{ "postgres: x [local] COMMIT waiting for 0/1 shop 10.0.0.2(5) SELECT",
			DATABASE_SESSION_WORKS },
		{ "postgres: bob shop [local] UPDATE waiting for", DATABASE_SESSION_WORKS },
		{ "postgres: autovacuum worker shop waiting", DATABASE_SESSION_WAITS },
		{ "postgres: autovacuum worker shop", DATABASE_SESSION_WORKS },
		{ "postgres: autovacuum launcher", DATABASE_SESSION_NONE },
		{ "postgres: checkpointer", DATABASE_SESSION_NONE },
		{ "/usr/lib/postgresql/15/bin/postgres -D /data", DATABASE_SESSION_NONE },
		{ "", DATABASE_SESSION_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(database_session_from_title(cases[i].title), cases[i].is);
}

static void test_advisory(void **state)
{
	struct database_sessions s = { .waiting = 1, .idle = 2 };

	(void)state;
	assert_true(database_sessions_may_hold_advisory_lock(&s));
	s.holding = 1;
	assert_false(database_sessions_may_hold_advisory_lock(&s));
	assert_false(database_sessions_have_no_holder(&s));
	s.holding = s.idle = 0;
	assert_false(database_sessions_may_hold_advisory_lock(&s));
	assert_true(database_sessions_have_no_holder(&s));
	s.working = 1;
	assert_false(database_sessions_have_no_holder(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_titles),
		cmocka_unit_test(test_advisory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

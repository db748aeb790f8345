/* SPDX-License-Identifier: BSD-2-Clause */
/* States of PostgreSQL's sessions, by their titles. */
#include "support.h"

#include "os/linux/waits/wait_sessions.h"

static void test_titles(void **state)
{
	static const struct {
		const char *title;
		enum wait_session is;
	} cases[] = {
		{ "postgres: bob shop [local] idle", WAIT_SESSION_IDLE },
		{ "postgres: 15/main: bob shop 10.0.0.2(5032) idle", WAIT_SESSION_IDLE },
		{ "postgres: bob shop [local] idle in transaction", WAIT_SESSION_HOLDS },
		{ "postgres: bob shop [local] idle in transaction (aborted)", WAIT_SESSION_NONE },
		{ "postgres: bob shop [local] ALTER TABLE waiting", WAIT_SESSION_WAITS },
		{ "postgres: bob shop [local] SELECT", WAIT_SESSION_WORKS },
		{ "postgres: autovacuum worker shop", WAIT_SESSION_WORKS },
		{ "postgres: autovacuum launcher", WAIT_SESSION_NONE },
		{ "postgres: checkpointer", WAIT_SESSION_NONE },
		{ "/usr/lib/postgresql/15/bin/postgres -D /data", WAIT_SESSION_NONE },
		{ "", WAIT_SESSION_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(wait_session_of(cases[i].title), cases[i].is);
}

static void test_advisory(void **state)
{
	struct wait_sessions s = { .waiting = 1, .idle = 2 };

	(void)state;
	assert_true(wait_sessions_may_hold_advisory_lock(&s));
	s.holding = 1;
	assert_false(wait_sessions_may_hold_advisory_lock(&s));
	assert_false(wait_sessions_have_no_holder(&s));
	s.holding = s.idle = 0;
	assert_false(wait_sessions_may_hold_advisory_lock(&s));
	assert_true(wait_sessions_have_no_holder(&s));
	s.working = 1;
	assert_false(wait_sessions_have_no_holder(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_titles),
		cmocka_unit_test(test_advisory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

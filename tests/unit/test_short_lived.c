/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that no sample has seen: whose they are, and that none counts twice. */
#include "process_table_records.h"

#include "analyze/process_table/host_state.h"
#include "probes/short_lived.h"

static struct short_lived short_lived;

static int begin_both(void **state)
{
	short_lived_init(&short_lived);
	return begin(state);
}

static int end_both(void **state)
{
	short_lived_fini(&short_lived);
	return end(state);
}

static void ends_after(uint32_t pid, uint32_t parent, const char *name, uint64_t life_ns)
{
	struct short_lived_exit e = { .record = { .time_ns = 2 * NS_PER_S,
					      .start_ticks = 100ull * pid,
					      .pid = pid,
					      .kind = SHORT_LIVED_PROCESS,
					      .words = sizeof(e) / SOOTH_RECORD_WORD,
					      .fixed_words = sizeof(e) / SOOTH_RECORD_WORD },
		.parent_start_ticks = 100ull * parent,
		.parent_pid = parent,
		.life_ns = life_ns,
		.cpu_ns = life_ns / 2,
		.status = name[0] == 'f' };

	memcpy(e.name, name, strnlen(name, sizeof(e.name)));
	short_lived_add_record(&short_lived, &e.record);
}

static void a_session(void)
{
	HOST({ 200, 1, .name = "claude", .executable = CLAUDE },
		{ 210, 200, .name = "bash", .session = 210 }, { 300, 1, .name = "cron" });
}

static struct short_lived_group group_of(uint32_t main, const char *name)
{
	struct short_lived_key key = { 0 };
	const struct short_lived_group *found;

	memcpy(key.name, name, strlen(name));
	if (main)
		key.main = (struct process_id){ .start_ticks = 100ull * main, .pid = main };
	found = map_get(&short_lived.groups, &key);
	return found ? *found : (struct short_lived_group){ 0 };
}

static void whose(void **state)
{
	(void)state;
	a_session();
	ends_after(211, 210, "git", 5);
	ends_after(212, 210, "git", 8);
	ends_after(213, 200, "false", 1);
	ends_after(301, 300, "git", 100);
	ends_after(401, 400, "git", 7); /* who started it was gone before */
	short_lived_resolve(&short_lived, &process_table);
	assert_int_equal(group_of(200, "git").count, 2);
	assert_int_equal(group_of(200, "git").life_most_ns, 8);
	assert_int_equal(group_of(200, "git").failed, 0);
	assert_int_equal(group_of(200, "false").failed, 1);
	assert_int_equal(group_of(0, "git").count, 2);
	assert_int_equal(group_of(0, "git").cpu_ns, 53);
	assert_int_equal(short_lived.all.count, 5);
	assert_int_equal(short_lived.in_sessions, 3);
}

/* Those that started one another, told in any order. */
static void a_line_of_them(void **state)
{
	(void)state;
	a_session();
	ends_after(223, 222, "c", 1);
	ends_after(221, 210, "a", 3);
	ends_after(222, 221, "b", 2);
	short_lived_resolve(&short_lived, &process_table);
	assert_int_equal(group_of(200, "a").count, 1);
	assert_int_equal(group_of(200, "b").count, 1);
	assert_int_equal(group_of(200, "c").count, 1);
}

static void none_twice(void **state)
{
	(void)state;
	a_session();
	ends_after(210, 200, "bash", 5); /* a sample has seen it */
	ends_after(230, 210, "git", 5);
	ends_after(230, 210, "git", 5); /* two threads were the last */
	short_lived_resolve(&short_lived, &process_table);
	assert_int_equal(short_lived.all.count, 1);
	short_lived_resolve(&short_lived, &process_table);
	assert_int_equal(short_lived.all.count, 1);
	short_lived_next_interval(&short_lived, 3 * NS_PER_S);
	short_lived_resolve(&short_lived, &process_table);
	assert_int_equal(short_lived.all.count, 0);
	assert_int_equal(short_lived.groups.count, 0);
}

/* Records that a hostile capture may hold. */
static void hostile(void **state)
{
	struct sooth_record r = { .kind = SHORT_LIVED_PROCESS, .words = 4, .fixed_words = 4 };

	(void)state;
	a_session();
	ends_after(500, 501, "ring", 1);
	ends_after(501, 500, "ring", 1);
	ends_after(502, 502, "self", 1);
	ends_after(503, 502, "0123456789abcdef", 1);
	short_lived_add_record(&short_lived, &r);
	short_lived_resolve(&short_lived, &process_table);
	assert_int_equal(short_lived.all.count, 4);
	assert_int_equal(short_lived.in_sessions, 0);
	for (uint32_t pid = 1000; pid < 80000; pid++)
		ends_after(pid, 210, "flood", 1);
	short_lived_resolve(&short_lived, &process_table);
	assert_int_equal(short_lived.all.count, 4 + 79000);
	assert_true(group_of(200, "flood").count <= 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whose, begin_both, end_both),
		cmocka_unit_test_setup_teardown(a_line_of_them, begin_both, end_both),
		cmocka_unit_test_setup_teardown(none_twice, begin_both, end_both),
		cmocka_unit_test_setup_teardown(hostile, begin_both, end_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

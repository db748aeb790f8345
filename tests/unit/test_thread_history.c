/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads between readings: shares, states, calls and waits met, threads that are gone. */
#include "support.h"

#include "analyze/threads/thread_history.h"
#include "base/units.h"

static struct thread_histories histories;
static struct buffer record;

static int setup(void **state)
{
	(void)state;
	thread_histories_init(&histories);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	thread_histories_fini(&histories);
	buffer_fini(&record);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

struct made {
	uint32_t tid;
	uint64_t at_ms, cpu_ms, voluntary;
	char state;
	uint32_t syscall;
	const char *channel;
	uint8_t switches_state;
};

static void take(struct made m)
{
	struct threads_thread t = { .record = { .time_ns = m.at_ms * NS_PER_MS,
					    .pid = 7,
					    .start_ticks = 70,
					    .tid = m.tid,
					    .kind = THREADS_THREAD },
		.thread_start_ticks = 70,
		.cpu_ns = m.cpu_ms * NS_PER_MS,
		.voluntary_switches = m.voluntary,
		.state = m.state ? m.state : 'S',
		.syscall = m.syscall,
		.syscall_state = m.syscall ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.wait_channel_state = m.channel ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.switches_state = m.switches_state };
	struct record_tail tail[] = { { &t.name, "worker", 6 },
		{ &t.wait_channel, m.channel, m.channel ? strlen(m.channel) : 0 } };

	buffer_reset(&record);
	RECORD_APPEND(&record, &t, tail, 2);
	thread_histories_add_record(&histories, (const void *)record.data);
}

static void end_snapshot(uint64_t at_ms, uint32_t threads)
{
	struct threads_process p = { .record = { .time_ns = at_ms * NS_PER_MS,
					     .pid = 7,
					     .start_ticks = 70,
					     .kind = THREADS_PROCESS },
		.threads = threads };

	buffer_reset(&record);
	RECORD_APPEND(&record, &p, NULL, 0);
	thread_histories_add_record(&histories, (const void *)record.data);
}

static const struct thread_history *get(uint32_t tid)
{
	const struct process_id id = { .start_ticks = 70, .pid = 7 };
	const struct thread_history *t;
	size_t position = 0;

	while ((t = thread_histories_next(&histories, &id, &position)) && t->tid != tid)
		;
	return t;
}

static void test_shares(void **state)
{
	const struct thread_history *t;

	(void)state;
	take((struct made){ .tid = 7, .at_ms = 1000, .cpu_ms = 10, .voluntary = 5, .state = 'R' });
	end_snapshot(1001, 1);
	assert_true(thread_history_cpu(get(7)) < 0); /* one reading says nothing */
	take((struct made){ .tid = 7, .at_ms = 3000, .cpu_ms = 1010, .voluntary = 25 });
	end_snapshot(3001, 1);
	t = get(7);
	assert_true(thread_history_cpu(t) > 49.9 && thread_history_cpu(t) < 50.1);
	assert_true(thread_history_voluntary(t) > 9.9 && thread_history_voluntary(t) < 10.1);
	assert_int_equal(t->running, 1);
	assert_int_equal(t->sleeping, 1);
	assert_string_equal(t->name, "worker");
}

static void test_not_measured(void **state)
{
	uint8_t refused = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);

	(void)state;
	take((struct made){ .tid = 7, .at_ms = 1000, .switches_state = refused });
	end_snapshot(1001, 1);
	take((struct made){ .tid = 7, .at_ms = 2000, .switches_state = refused });
	end_snapshot(2001, 1);
	assert_true(thread_history_voluntary(get(7)) < 0);
	assert_true(thread_history_cpu(get(7)) == 0);
}

static void test_met(void **state)
{
	const struct thread_history *t;

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		take((struct made){ .tid = 7,
			.at_ms = 1000 + i,
			.syscall = i == 2 ? 202 : 281,
			.channel = i == 2 ? "futex_wait" : "ep_poll" });
		end_snapshot(1000 + i, 1);
	}
	t = get(7);
	assert_int_equal(t->calls[0].syscall, 281);
	assert_int_equal(t->calls[0].input, 4);
	assert_int_equal(t->calls[1].input, 1);
	assert_int_equal(t->calls[2].input, 0);
	assert_string_equal(t->channels[0].name, "ep_poll");
	assert_int_equal(t->channels[0].input, 4);
}

static void test_gone(void **state)
{
	(void)state;
	take((struct made){ .tid = 7, .at_ms = 1000 });
	take((struct made){ .tid = 8, .at_ms = 1000 });
	end_snapshot(1001, 2);
	take((struct made){ .tid = 7, .at_ms = 2000 });
	end_snapshot(2001, 1);
	assert_non_null(get(7));
	assert_null(get(8));
	/* A reading of a process that has ended takes nothing away. */
	end_snapshot(3000, 0);
	assert_non_null(get(7));
}

static void test_next_interval(void **state)
{
	const struct thread_history *t;

	(void)state;
	take((struct made){ .tid = 7, .at_ms = 1000, .cpu_ms = 0, .state = 'D' });
	take((struct made){ .tid = 8, .at_ms = 1000 });
	end_snapshot(1001, 2);
	take((struct made){ .tid = 7, .at_ms = 2000, .cpu_ms = 1000, .state = 'D' });
	end_snapshot(2001, 1);
	thread_histories_next_interval(&histories);
	take((struct made){ .tid = 7, .at_ms = 3000, .cpu_ms = 1100 });
	end_snapshot(3001, 1);
	t = get(7);
	assert_true(thread_history_cpu(t) > 9.9 && thread_history_cpu(t) < 10.1);
	assert_int_equal(t->uninterruptible, 0);
	assert_null(get(8));
	assert_int_equal(histories.threads.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_shares),
		TEST(test_not_measured),
		TEST(test_met),
		TEST(test_gone),
		TEST(test_next_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

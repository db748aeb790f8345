/* SPDX-License-Identifier: BSD-2-Clause */
/* Times of threads by state, and single states: sched-table, sched-stream. */
#include "shown.h"

#include "probes/sched.h"

#define MS 1000000ull

static struct sched_times times_of(uint32_t tid, const char *name)
{
	struct sched_times t = { .record = { .time_ns = 1000 * MS,
					 .start_ticks = 7,
					 .pid = 10,
					 .tid = tid,
					 .kind = SCHED_TIMES },
		.process = "demo" };

	strcpy(t.thread, name);
	return t;
}

static void put_times(void)
{
	struct sched_times a = times_of(10, "calm"), b = times_of(11, "late");

	a.running_ns = 100 * MS;
	a.sleeping_ns = 800 * MS;
	a.stopped_ns = 100 * MS;
	b.running_ns = 200 * MS;
	b.woken_ns = 30 * MS;
	b.preempted_ns = 270 * MS;
	b.blocked_ns = 500 * MS;
	b.longest_ns = 90 * MS;
	b.longest_at_ns = 555;
	b.voluntary = 4;
	b.involuntary = 9;
	b.migrations = 3;
	b.histogram[20] = 3;
	b.histogram[24] = 1;
	RECORD_APPEND(&records, &a, NULL, 0);
	RECORD_APPEND(&records, &b, NULL, 0);
}

static void test_table(void **state)
{
	const char *text;

	(void)state;
	put_times();
	text = show_view("sched", "sched-table", NULL, "text");
	assert_true(has(text, "2 threads, 2.00s together: 15.0 % running, 15.0 % ready to run, "
			      "40.0 % sleeping, 25.0 % blocked, 5.0 % stopped"));
	/* The one that waited longest for a CPU is first. */
	assert_true(strstr(text, "late") < strstr(text, "calm"));
	text = show_view("sched", "sched-table", NULL, "json");
	assert_true(has(text, "\"wall_ns\": 1000000000,\n      \"running_ns\": 200000000,\n      "
			      "\"ready_ns\": 300000000"));
	assert_true(has(text, "\"longest_ns\": null"));
	assert_true(has(text, "\"longest_at_ns\": 555"));
	assert_true(has(text, "\"migrations\": 3"));
}

/* A thread that was observed twice, or by two writers: one row. */
static void test_twice(void **state)
{
	struct sched_times more = times_of(11, "late");

	(void)state;
	put_times();
	more.running_ns = 50 * MS;
	more.longest_ns = 95 * MS;
	more.longest_at_ns = 777;
	RECORD_APPEND(&records, &more, NULL, 0);
	more = times_of(11, "late");
	more.record.start_ticks = 8; /* of another process with the same numbers */
	more.running_ns = 1 * MS;
	RECORD_APPEND(&records, &more, NULL, 0);
	const char *text = show_view("sched", "sched-table", NULL, "json");

	assert_true(has(text, "\"thread_count\": 3"));
	assert_true(has(text, "\"wall_ns\": 1050000000,\n      \"running_ns\": 250000000"));
	assert_true(has(text, "\"longest_at_ns\": 777"));
}

static void put_change(uint32_t tid, struct sched_change c)
{
	c.record = (struct sooth_record){ .time_ns = 3000000000ull + tid * MS,
		.start_ticks = 7,
		.pid = 10,
		.tid = tid,
		.kind = SCHED_CHANGE };
	strcpy(c.process, "demo");
	strcpy(c.thread, "work");
	RECORD_APPEND(&records, &c, NULL, 0);
}

static void test_stream(void **state)
{
	const char *text;

	(void)state;
	put_change(1,
		(struct sched_change){ .state = SCHED_SLEEPS,
			.next = SCHED_WOKEN,
			.duration_ns = 5 * MS,
			.flags = SCHED_OLD,
			.waker_pid = 20,
			.waker_tid = 21,
			.waker = "other" });
	put_change(2,
		(struct sched_change){ .state = SCHED_WOKEN,
			.next = SCHED_RUNS,
			.duration_ns = 1 * MS,
			.waker_state = SOOTH_STATE_ABSENT });
	put_change(3,
		(struct sched_change){ .state = SCHED_RUNS,
			.duration_ns = 2 * MS,
			.flags = SCHED_OPEN,
			.next_state = SOOTH_STATE_ABSENT,
			.waker_state = SOOTH_STATE_ABSENT });
	put_change(4,
		(struct sched_change){ .state = SCHED_RUNS,
			.duration_ns = 2 * MS,
			.flags = SCHED_LAST,
			.next_state = SOOTH_STATE_ABSENT,
			.waker_state = SOOTH_STATE_ABSENT });
	text = show_view("sched", "sched-stream", NULL, "text");
	assert_true(has(text,
		"3.001000 1 work: sleeping 5.00ms (since attach), then woken, by other (21)\n"));
	assert_true(has(text, "3.002000 2 work: woken 1.00ms, then running\n"));
	assert_true(has(text, "3.003000 3 work: running 2.00ms (not over)\n"));
	assert_true(has(text, "3.004000 4 work: running 2.00ms (the thread ended)\n"));
}

/* Sums are no states: where they are shown instead is said. */
static void test_sums_alone(void **state)
{
	(void)state;
	put_times();
	assert_true(has(show_view("sched", "sched-stream", NULL, "text"),
		"sooth record --stream --probe sched"));
}

/* Damaged: a state that does not exist, a record that is too short. */
static void test_damaged(void **state)
{
	struct sched_times t = times_of(10, "calm");

	(void)state;
	put_change(1, (struct sched_change){ .state = 200, .next = 99, .flags = 255 });
	t.record.words = t.record.fixed_words = 6;
	buffer_append(&records, &t, 48);
	assert_true(has(show_view("sched", "sched-table", NULL, "text"), "0 threads"));
	assert_true(has(show_view("sched", "sched-stream", NULL, "text"), "work: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_table),
		TEST(test_twice),
		TEST(test_stream),
		TEST(test_sums_alone),
		TEST(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that start and stay, at both sides of the thresholds. */
#include "check_threads.h"

#define FIRST	 100 /* tid of the first new one */
#define AT_FIRST 5

static bool they_run;	      /* the new ones */
static bool come_all_at_once; /* in the first second */
static double cpu_asleep;     /* that they use, although each sample finds them asleep */
static double age_s;	      /* at the last sample; 0: old enough */

static unsigned pools; /* the number of the thread in each; 0: no pools */

static const char *pool_name(uint32_t pool)
{
	static char name[16];

	snprintf(name, sizeof(name), "pool-%u-thread-%u", pool % 10, pools);
	return name;
}

/* So many more at each sample. */
static void threads_start(double more)
{
	uint32_t each = (uint32_t)more, tid = FIRST;

	if (age_s > 0)
		started_s = FROM_S + LOOKS - 1 - age_s;
	for (int i = 0; i < LOOKS; i++) {
		uint32_t added =
			come_all_at_once ? (i ? (LOOKS - 1) * each : 0) : each * (uint32_t)i;

		process_at(i, (struct proc_process){ .threads = AT_FIRST + added }, "pool");
		all_reported(i);
	}
	for (int i = 1; i < LOOKS; i++) {
		for (uint32_t k = 0; k < each; k++, tid++)
			thread((struct thread_made){ .tid = tid,
				.name = pools ? pool_name(tid) : "worker",
				.looks = LOOKS - (come_all_at_once ? 1 : i),
				.state = they_run ? 'R' : 'S',
				.cpu = they_run ? 20 : cpu_asleep,
				.call = they_run ? NULL : "futex" });
	}
	threads_read(AT_FIRST + (LOOKS - 1) * each);
}

/* Where no thread is seen to start, none can be said to leave its stack. */
static void calls_are_refused(double more)
{
	struct stream_limit limit = { .record = head_of(4, 0, STREAM_LIMIT) };
	struct record_tail tail[] = { put_text(&limit.what, "system calls") };

	RECORD_APPEND(&records, &limit, tail, 1);
	threads_start(more);
}

/* Each of an executor of its own, or the second of one. */
static void pools_start(double thread)
{
	pools = (unsigned)thread;
	threads_start(2);
	pools = 0;
}

static void threads_work(double more)
{
	they_run = true;
	threads_start(more);
	they_run = false;
}

static void threads_work_seldom(double percent)
{
	cpu_asleep = percent;
	threads_start(2);
	cpu_asleep = 0;
}

static void a_pool_starts(double more)
{
	come_all_at_once = true;
	threads_start(more);
	come_all_at_once = false;
}

static void a_young_one_starts(double years)
{
	age_s = years;
	threads_start(4);
	age_s = 0;
}

/* One at a time, since so many seconds. */
static void keeps_a_pace(double seconds)
{
	age_s = seconds;
	threads_start(1);
	age_s = 0;
}

static void no_counters(double more)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i,
			(struct proc_process){ .threads = AT_FIRST + (uint32_t)more * (uint32_t)i },
			"pool");
		all_reported(i);
	}
}

static void test_thread_leak(void **state)
{
	static const struct check_case cases[] = {
		{ "thread-leak", threads_start, 2, NULL,
			"low/medium: leaks threads: 10 more, now 15; the new ones do nothing "
			"[growth: 2 a "
			"second over 5.00s] [threads: 15] [threads when the observation started: "
			"5]|"
			"[idle: 10 of 10 new threads wait since they were started] [name of most "
			"new "
			"threads: worker] [what most new threads wait in: futex]|(unseen: whether "
			"a "
			"pool is filling up" },
		{ "thread-leak", pools_start, 1, NULL,
			"low/medium: leaks threads: 10 more, now 15; the new ones do nothing: each "
			"is the first of a thread pool of its own (ExecutorService)" },
		{ "thread-leak", pools_start, 2, NULL,
			"low/medium: leaks threads: 10 more, now 15; the new ones do nothing [" },
		{ "thread-leak", threads_work_seldom, 0.9, NULL,
			"low/medium: leaks threads: 10 more" },
		{ "thread-leak", threads_work_seldom, 1, NULL,
			"fine: 5 threads, then 15: most new threads are not idle" },
		{ "thread-leak", threads_start, 1, NULL, "=fine: 5 threads, then 10\n" },
		{ "thread-leak", calls_are_refused, 1, NULL,
			"=blind: sooth may not observe system calls here <run as root: sooth "
			"diagnose>\n" },
		{ "thread-leak", calls_are_refused, 2, NULL, "low/medium: leaks threads: 10 more" },
		{ "thread-leak", threads_start, 2, "thread-leak.min-gain=11", "fine: " },
		{ "thread-leak", threads_start, 2, "thread-leak.min-rate=2.1", "fine: " },
		{ "thread-leak", threads_start, 39, NULL,
			"medium/medium: leaks threads: 195 more" },
		{ "thread-leak", threads_start, 38, NULL, "low/medium: leaks threads: 190 more" },
		{ "thread-leak", keeps_a_pace, 20, NULL,
			"low/medium: leaks threads: 5 more, now 10" },
		{ "thread-leak", keeps_a_pace, 21, NULL, "fine: 5 threads, then 10" },
		{ "thread-leak", keeps_a_pace, 10, NULL, "low/medium: " },
		{ "thread-leak", keeps_a_pace, 9, NULL, "fine: 5 threads, then 10" },
		{ "thread-leak", threads_work, 4, NULL,
			"=fine: 5 threads, then 25: most new threads are not idle\n" },
		{ "thread-leak", a_pool_starts, 4, NULL, "fine: 5 threads, then 25" },
		{ "thread-leak", a_young_one_starts, 10, NULL, "low/medium: " },
		{ "thread-leak", a_young_one_starts, 9, NULL, "blind: |older than 10 s" },
		{ "thread-leak", no_counters, 4, NULL, "blind: " },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_thread_leak) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

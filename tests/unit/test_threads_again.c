/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of threads that did not run since they were read. */
#include "support.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/units.h"
#include "os/linux/proc/proc_stat.h"
#include "os/linux/threads/threads_again.h"
#include "os/os.h"
#include "probes/threads.h"

static uint64_t now;

static uint64_t now_ns(const struct os *os)
{
	(void)os;
	return now;
}

static const struct os clock_alone = { .now_ns = now_ns };
static struct backend_run run = { .os = &clock_alone,
	.options = { .observer.sample_ns = NS_PER_S } };
static struct threads_again again;
static pid_t at_rest;

static void wait_at_rest(void)
{
	uint64_t before = 0, cpu_ns = 1;

	/* Until two looks find the same time: it has come to its pause(2). */
	while (cpu_ns != before) {
		before = cpu_ns;
		usleep(20000);
		assert_true(proc_stat_cpu_clock(at_rest, &cpu_ns));
	}
}

static int begin(void **state)
{
	(void)state;
	now = 100;
	threads_again_init(&again);
	at_rest = fork();
	if (!at_rest) {
		pause();
		_exit(0);
	}
	wait_at_rest();
	return 0;
}

static int end(void **state)
{
	(void)state;
	kill(at_rest, SIGKILL);
	waitpid(at_rest, NULL, 0);
	threads_again_fini(&again);
	buffer_fini(&run.out);
	return 0;
}

static struct process_id id_of(pid_t pid)
{
	return (struct process_id){ .start_ticks = 7, .pid = (uint32_t)pid };
}

static struct span words(const char *text)
{
	return span_of(text, strlen(text));
}

static void next_sample(void)
{
	now += NS_PER_S;
	buffer_reset(&run.out);
	threads_again_begin(&again);
}

static void read_thread(pid_t pid, uint32_t tid, const char *schedstat)
{
	struct threads_thread t = { .record = { .time_ns = now,
					    .start_ticks = 7,
					    .pid = (uint32_t)pid,
					    .tid = tid,
					    .kind = THREADS_THREAD },
		.state = 'S',
		.cpu_ns = tid };
	size_t from = run.out.size;

	RECORD_APPEND(&run.out, &t, NULL, 0);
	threads_again_keep_record(&again, &run, from, words(schedstat));
}

/* Two threads of it. */
static void read_process(pid_t pid, bool is_whole)
{
	const struct process_id id = id_of(pid);
	uint32_t count = 0;

	assert_false(threads_again_process(&again, &run, &id, &count));
	read_thread(pid, 10, "10 3 1\n");
	read_thread(pid, 12, "0 0 0\n");
	threads_again_end(&again, is_whole);
}

static void all_at_once(void **state)
{
	const struct process_id id = id_of(at_rest);
	const struct threads_thread *t;
	uint32_t count = 0;

	(void)state;
	next_sample();
	read_process(at_rest, true);
	next_sample();
	assert_true(threads_again_process(&again, &run, &id, &count));
	assert_int_equal(count, 2);
	t = (const void *)run.out.data;
	assert_int_equal(run.out.size, 2 * sizeof(*t));
	assert_int_equal(t[0].record.tid, 10);
	assert_int_equal(t[0].record.time_ns, now);
	assert_int_equal(t[1].record.tid, 12);
	assert_int_equal(t[1].cpu_ns, 12);
}

static void not_what_was_cut(void **state)
{
	const struct process_id id = id_of(at_rest);
	uint32_t count = 0;

	(void)state;
	next_sample();
	read_process(at_rest, false);
	next_sample();
	assert_false(threads_again_process(&again, &run, &id, &count));
}

static void not_after_a_run(void **state)
{
	const struct process_id id = id_of(at_rest);
	uint32_t count = 0;

	(void)state;
	next_sample();
	read_process(at_rest, true);
	kill(at_rest, SIGSTOP);
	waitpid(at_rest, NULL, WUNTRACED);
	next_sample();
	assert_false(threads_again_process(&again, &run, &id, &count));
	assert_int_equal(run.out.size, 0);
}

/* This process runs all the time: its threads are told apart by their counts. */
static void one_by_one(void **state)
{
	const struct process_id id = id_of(getpid());
	uint32_t count = 0;

	(void)state;
	next_sample();
	read_process(getpid(), true);
	for (int i = 0; i < 2; i++) {
		next_sample();
		assert_false(threads_again_process(&again, &run, &id, &count));
		assert_true(threads_again_thread(&again, &run, 10, words("10 3 1\n")));
		assert_int_equal(
			((const struct sooth_record *)(const void *)run.out.data)->time_ns, now);
		assert_false(threads_again_thread(&again, &run, 11, words("10 3 1\n")));
		/* A thread of a kernel that does not count. */
		assert_false(threads_again_thread(&again, &run, 12, words("0 0 0\n")));
		threads_again_end(&again, true);
	}
	next_sample();
	assert_false(threads_again_process(&again, &run, &id, &count));
	assert_false(threads_again_thread(&again, &run, 10, words("10 3 2\n")));
	threads_again_end(&again, true);
	/* A process or thread that is not in a sample is forgotten. */
	next_sample();
	next_sample();
	assert_false(threads_again_process(&again, &run, &id, &count));
	assert_false(threads_again_thread(&again, &run, 10, words("10 3 2\n")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_at_once, begin, end),
		cmocka_unit_test_setup_teardown(not_what_was_cut, begin, end),
		cmocka_unit_test_setup_teardown(not_after_a_run, begin, end),
		cmocka_unit_test_setup_teardown(one_by_one, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

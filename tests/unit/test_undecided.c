/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether an observation continues: for requests to end that have no effect yet. */
#include "call_records.h"
#include "support.h"

#include <errno.h>
#include <signal.h>

#include "analyze/diagnosis/undecided.h"
#include "base/units.h"
#include "model/stream_records.h"
#include "probes/proc.h"
#include "probes/waits.h"

#define RECEIVER 7

static const uint32_t selected[] = { 99 };
static struct undecided u;

static void sends(const char *call, uint64_t receiver, uint64_t signal, int64_t result)
{
	struct syscalls_call c = { .record = { .pid = selected[0], .time_ns = 1 },
		.arguments = { receiver, signal },
		.result = result };

	assert_int_equal(undecided_add_record(&u, NULL, make_call(&c, call)), 0);
}

static void ends(uint32_t pid)
{
	struct process_leave end = { .record = { .pid = pid, .kind = PROCESS_LEAVE }, .name = "a" };
	struct buffer all = { 0 };

	RECORD_APPEND(&all, &end, NULL, 0);
	undecided_add_record(&u, NULL, (const void *)all.data);
	buffer_fini(&all);
}

static int begin(void **state)
{
	(void)state;
	undecided_init(&u, selected, 1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	undecided_fini(&u);
	call_records_fini();
	return 0;
}

/* Adds a sample of the process, with a sleep of which that much is left. */
static void sleeps(uint32_t threads, uint64_t left_ns)
{
	struct proc_process p = { .record = { .pid = selected[0], .kind = PROC_PROCESS },
		.threads = threads };
	struct waits_thread t = { .record = { .pid = selected[0],
					  .tid = selected[0],
					  .time_ns = NS_PER_S,
					  .kind = WAITS_THREAD },
		.timeout_ns = left_ns + NS_PER_S,
		.since_ns = NS_PER_S };
	struct buffer all = { 0 };

	t.abi = SYSCALL_ABI_X86_64;
	t.syscall = (uint32_t)syscall_number(t.abi, "nanosleep", strlen("nanosleep"));
	RECORD_APPEND(&all, &p, NULL, 0);
	undecided_add_record(&u, NULL, (const void *)all.data);
	buffer_reset(&all);
	RECORD_APPEND(&all, &t, NULL, 0);
	undecided_add_record(&u, NULL, (const void *)all.data);
	buffer_fini(&all);
}

static void ends_at(uint64_t time_ns)
{
	struct process_leave end = {
		.record = { .pid = 1, .kind = PROCESS_LEAVE, .time_ns = time_ns }, .name = "a"
	};
	struct buffer all = { 0 };

	RECORD_APPEND(&all, &end, NULL, 0);
	undecided_add_record(&u, NULL, (const void *)all.data);
	buffer_fini(&all);
}

/* It may try something when it wakes; one that wakes much later is not waited for. */
static void test_wakes_soon(void **state)
{
	(void)state;
	sleeps(1, 8 * NS_PER_S);
	ends_at(5 * NS_PER_S);
	assert_int_not_equal(undecided_more(&u), 0);
}

/* It found a file that it has to make, perhaps a lock, and slept again. */
static void test_sleeps_between_tries(void **state)
{
	(void)state;
	sleeps(1, 2 * NS_PER_S);
	ends_at(5 * NS_PER_S);
	sends("link", 0, 0, -EEXIST);
	assert_int_not_equal(undecided_more(&u), 0);
}

static void test_wakes_late(void **state)
{
	(void)state;
	sleeps(1, 60 * NS_PER_S);
	ends_at(5 * NS_PER_S);
	assert_int_equal(undecided_more(&u), 0);
	sleeps(2, 8 * NS_PER_S);
	assert_int_equal(undecided_more(&u), 0);
	sleeps(1, 2 * NS_PER_S);
	assert_int_equal(undecided_more(&u), 0);
}

/* Once or twice is undecided, and only once. */
static void test_goes_on(void **state)
{
	(void)state;
	assert_int_equal(undecided_more(&u), 0);
	sends("kill", RECEIVER, SIGTERM, 0);
	assert_int_not_equal(undecided_more(&u), 0);
	assert_int_equal(undecided_more(&u), 0);
}

static void test_is_decided(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		sends("kill", RECEIVER, SIGTERM, 0);
	assert_int_equal(undecided_more(&u), 0);
	/* Another one. */
	sends("kill", RECEIVER + 1, SIGTERM, 0);
	assert_int_not_equal(undecided_more(&u), 0);
}

static void test_has_ended(void **state)
{
	(void)state;
	sends("kill", RECEIVER, SIGTERM, 0);
	ends(RECEIVER);
	assert_int_equal(undecided_more(&u), 0);
	sends("kill", RECEIVER, SIGTERM, 0);
	ends(RECEIVER + 1);
	assert_int_not_equal(undecided_more(&u), 0);
}

static void test_no_request(void **state)
{
	(void)state;
	sends("kill", RECEIVER, 0, 0);
	sends("kill", RECEIVER, SIGHUP, 0);
	sends("kill", RECEIVER, SIGTERM, -3);
	sends("kill", (uint64_t)-RECEIVER, SIGTERM, 0);
	sends("pidfd_send_signal", RECEIVER, SIGTERM, 0);
	assert_int_equal(undecided_more(&u), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_goes_on, begin, end),
		cmocka_unit_test_setup_teardown(test_is_decided, begin, end),
		cmocka_unit_test_setup_teardown(test_has_ended, begin, end),
		cmocka_unit_test_setup_teardown(test_no_request, begin, end),
		cmocka_unit_test_setup_teardown(test_wakes_soon, begin, end),
		cmocka_unit_test_setup_teardown(test_sleeps_between_tries, begin, end),
		cmocka_unit_test_setup_teardown(test_wakes_late, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

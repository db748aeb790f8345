/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether an observation continues: for requests to end that have no effect yet. */
#include "call_records.h"
#include "support.h"

#include <signal.h>

#include "analyze/diagnosis/undecided.h"
#include "model/stream_records.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

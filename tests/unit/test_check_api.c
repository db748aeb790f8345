/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of APIs that fail one after the other or begin late, at both sides of each threshold. */
#include "call_records.h"
#include "check_records.h"

#include "analyze/calls/fd_follow.h"
#include "model/errno_names.h"

#define FD 3

static double next_s; /* of the next call */

static void call_with(const char *name, int64_t result, const uint64_t arguments[6])
{
	struct syscalls_call call = { .record = head_of(next_s, PID, SYSCALLS_CALL),
		.result = result,
		.duration_ns = 1000,
		.name = "client" };
	const struct sooth_record *r;

	call.record.tid = PID;
	memcpy(call.arguments, arguments, sizeof(call.arguments));
	r = make_call(&call, name);
	buffer_append(&records, r, record_bytes(r));
	next_s += 0.001;
}

#define CALL(name, result, ...) call_with(name, result, (const uint64_t[6]){ __VA_ARGS__ })

static void observe(void)
{
	add_source("syscalls");
	process_at(0, (struct proc_process){ 0 }, "client");
	next_s = 0.001;
}

static void observed(void)
{
	process_at(next_s > 5 ? next_s : 5, (struct proc_process){ 0 }, "client");
	call_records_fini();
}

static void connect_to_server(void)
{
	static const unsigned char address[16] = { 2, 0, 0x1f, 0x90, 127, 0, 0, 1 };

	CALL("socket", FD, 2, 1, 0);
	piece(1, address, sizeof(address));
	CALL("connect", 0, FD, 0, sizeof(address));
}

static void request(void)
{
	piece_of(1, SYSCALLS_PART_REQUEST, "POST /v1/messages", 17);
	CALL("write", 500, FD, 1, 500);
}

static void answer(void)
{
	piece_of(1, SYSCALLS_PART_STATUS, "200", 3);
	CALL("read", 300, FD, 1, 4096);
}

/* --- how a call ends --- */

/* In the middle of its answer, `still_s` after the last byte of it. */
static void cut(double still_s)
{
	connect_to_server();
	request();
	answer();
	next_s += still_s;
	CALL("read", -LINUX_ECONNRESET, FD, 1, 4096);
	CALL("close", 0, FD);
}

static void closed(double after_s)
{
	connect_to_server();
	request();
	next_s += after_s;
	CALL("read", 0, FD, 1, 4096);
	CALL("close", 0, FD);
}

static void given_up(double after_s)
{
	connect_to_server();
	request();
	next_s += after_s;
	CALL("close", 0, FD);
}

static void whole(double after_s)
{
	connect_to_server();
	request();
	next_s += after_s;
	answer();
	piece_of(1, SYSCALLS_PART_LAST_CHUNK, "", 0);
	CALL("read", 90, FD, 1, 4096);
	CALL("close", 0, FD);
}

/* --- storms --- */

static void is_cut(double times)
{
	observe();
	for (int i = 0; i < (int)times; i++)
		cut(0.1);
	observed();
}

static void is_cut_still(double still_s)
{
	observe();
	for (int i = 0; i < 4; i++)
		cut(still_s);
	observed();
}

static void is_answered_in_between(double times)
{
	observe();
	for (int i = 0; i < 2; i++) {
		for (int k = 0; k < (int)times; k++)
			cut(0.1);
		whole(0.1);
	}
	observed();
}

static void is_closed(double after_s)
{
	observe();
	for (int i = 0; i < 4; i++)
		closed(after_s);
	observed();
}

static void is_given_up(double after_s)
{
	observe();
	for (int i = 0; i < 4; i++)
		given_up(after_s);
	observed();
}

static void test_retry_storm(void **state)
{
	static const struct check_case cases[] = {
		{ "api-retry-storm", is_cut, 4, NULL,
			"low/medium: |127.0.0.1:8080 fail again and again: 4 in |none answered; "
			"the "
			"connection fails while the answer comes" },
		{ "api-retry-storm", is_cut, 3, NULL, "low/medium: " },
		{ "api-retry-storm", is_cut, 2, NULL, "fine: " },
		{ "api-retry-storm", is_cut, 8, NULL, "medium/medium: " },
		{ "api-retry-storm", is_cut, 7, NULL, "low/medium: " },
		{ "api-retry-storm", is_cut_still, 0.9, NULL, "low/medium: " },
		{ "api-retry-storm", is_cut_still, 1.1, NULL, "fine: " },
		{ "api-retry-storm", is_answered_in_between, 5, NULL, "fine: " },
		{ "api-retry-storm", is_closed, 1.1, NULL,
			"low/medium: |the server closes the connection without an answer" },
		{ "api-retry-storm", is_closed, 0.9, NULL, "fine: " },
		{ "api-retry-storm", is_given_up, 5.1, NULL,
			"low/medium: |no answer comes, and the client gives up" },
		{ "api-retry-storm", is_given_up, 4.9, NULL, "fine: " },
		{ "api-retry-storm", is_cut, 4, "api-retry-storm.min-attempts=5", "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- late answers --- */

static void begins_late(double after_s)
{
	observe();
	for (int i = 0; i < 2; i++)
		whole(after_s);
	observed();
}

static void begins_late_once(double after_s)
{
	observe();
	whole(after_s);
	observed();
}

static void test_slow(void **state)
{
	static const struct check_case cases[] = {
		{ "api-slow", begins_late, 5.1, NULL,
			"low/high: 127.0.0.1:8080 answers late: 5.10s until the first byte, mean "
			"of 2 "
			"answers" },
		{ "api-slow", begins_late, 4.9, NULL, "fine: " },
		{ "api-slow", begins_late_once, 20, NULL, "fine: " },
		{ "api-slow", begins_late_once, 20, "api-slow.min-calls=1", "low/high: " },
		{ "api-slow", begins_late, 1.1, "api-slow.min-wait=1s", "low/high: " },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_retry_storm),
		cmocka_unit_test(test_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* API calls made of records of calls: plain, over TLS with its handshake and tickets, repeated
 * ones. */
#include "call_records.h"

#include "analyze/api/api_tracker.h"
#include "base/units.h"
#include "model/errno_names.h"
#include "model/stream_records.h"

#define PID 7
#define FD  5

static struct api_tracker tracker;
static struct api_call calls[16]; /* those that ended */
static struct api_connection connection;
static size_t ended, requests, answers;
static uint64_t now_ns;

static int take(void *user, const struct api_seen *seen, struct sooth_error *err)
{
	(void)user;
	(void)err;
	requests += seen->event == API_EVENT_REQUEST;
	answers += seen->event == API_EVENT_ANSWER;
	if (seen->event != API_EVENT_END)
		return 0;
	assert_true(ended < ARRAY_SIZE(calls));
	connection = *seen->connection;
	calls[ended++] = seen->connection->call;
	return 0;
}

static void call_with(const char *name, int64_t result, const uint64_t arguments[6])
{
	struct syscalls_call call = {
		.record = { .pid = PID, .start_ticks = PID, .tid = PID, .time_ns = now_ns },
		.result = result,
		.duration_ns = 1000,
		.name = "worker"
	};
	struct sooth_error err;

	memcpy(call.arguments, arguments, sizeof(call.arguments));
	assert_int_equal(call_fold_record(&tracker.fold, make_call(&call, name), &err), 0);
	now_ns += NS_PER_MS;
}

#define CALL(name, result, ...) call_with(name, result, (const uint64_t[6]){ __VA_ARGS__ })

static const unsigned char address[16] = { 2, 0, 0x01, 0xbb, 10, 0, 0, 2 };

static void connect_to_server(void)
{
	CALL("socket", FD, 2, 1, 0);
	piece(1, address, sizeof(address));
	CALL("connect", 0, FD, 1, 16);
}

static int setup(void **state)
{
	(void)state;
	now_ns = NS_PER_S;
	ended = requests = answers = 0;
	buffer_reset(&call_pieces);
	api_tracker_init(&tracker, take, NULL);
	call_fold_begin_at_once(&tracker.fold);
	connect_to_server();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	api_tracker_fini(&tracker);
	call_records_fini();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void finish(void)
{
	struct sooth_error err;

	assert_int_equal(api_tracker_end(&tracker, &err), 0);
}

/* --- plain --- */

static void request(const char *line, uint64_t bytes)
{
	piece_of(1, SYSCALLS_PART_REQUEST, line, strlen(line));
	CALL("write", (int64_t)bytes, FD, 1, bytes);
}

static void answer(const char *status, uint64_t bytes)
{
	if (status)
		piece_of(1, SYSCALLS_PART_STATUS, status, strlen(status));
	CALL("read", (int64_t)bytes, FD, 1, 4096);
}

static void test_plain(void **state)
{
	uint64_t begin_ns = now_ns;

	(void)state;
	request("POST /v1/messages", 100);
	CALL("write", 900, FD, 1, 900); /* its body */
	now_ns += 50 * NS_PER_MS;
	answer("200", 200);
	now_ns += 20 * NS_PER_MS;
	answer(NULL, 300);
	assert_int_equal(ended, 0);
	request("GET /next", 60);
	assert_int_equal(ended, 1);
	assert_string_equal(calls[0].method, "POST");
	assert_string_equal(calls[0].path, "/v1/messages");
	assert_int_equal(calls[0].outcome, API_ANSWERED);
	assert_int_equal(calls[0].ended_by, API_END_NEXT);
	assert_int_equal(calls[0].status, 200);
	assert_int_equal(calls[0].bytes_out, 1000);
	assert_int_equal(calls[0].bytes_in, 500);
	assert_int_equal(calls[0].chunks, 2);
	assert_int_equal(calls[0].begin_ns, begin_ns - 1000);
	assert_int_equal(calls[0].first_ns, begin_ns + 52 * NS_PER_MS);
	assert_int_equal(calls[0].gap_ns, 21 * NS_PER_MS);
	finish();
	assert_int_equal(calls[1].outcome, API_WAITING);
	assert_int_equal(calls[1].number, 2);
}

static void test_last_chunk(void **state)
{
	(void)state;
	request("POST /a", 100);
	piece_of(1, SYSCALLS_PART_STATUS, "200", 3);
	piece_of(1, SYSCALLS_PART_LAST_CHUNK, "", 0);
	CALL("read", 90, FD, 1, 4096);
	assert_int_equal(ended, 1);
	assert_int_equal(calls[0].ended_by, API_END_LAST_CHUNK);
}

/* "100 Continue" is no answer; "101" ends the calls of the connection. */
static void test_interim(void **state)
{
	(void)state;
	request("POST /a", 100);
	answer("100", 25);
	assert_int_equal(answers, 0);
	answer("101", 80);
	assert_int_equal(calls[0].ended_by, API_END_UPGRADE);
	CALL("write", 40, FD, 1, 40);
	finish();
	assert_int_equal(ended, 1);
}

static void test_ends(void **state)
{
	(void)state;
	request("POST /a", 100);
	CALL("read", 0, FD, 1, 4096);
	request("POST /b", 100);
	CALL("read", -LINUX_EAGAIN, FD, 1, 4096);
	CALL("read", -LINUX_ECONNRESET, FD, 1, 4096);
	request("POST /c", 100);
	CALL("close", 0, FD);
	connect_to_server();
	request("POST /d", 100);
	answer("200", 20);
	CALL("read", -LINUX_ECONNRESET, FD, 1, 4096);
	assert_int_equal(ended, 4);
	assert_int_equal(calls[0].outcome, API_CLOSED);
	assert_int_equal(calls[1].outcome, API_RESET);
	assert_int_equal(calls[1].error, LINUX_ECONNRESET);
	assert_int_equal(calls[2].outcome, API_GIVEN_UP);
	assert_int_equal(calls[3].outcome, API_CUT);
}

/* A story ends with an answer; another path is another one. */
static void test_attempts(void **state)
{
	uint64_t begin_ns = now_ns - 1000;

	(void)state;
	request("POST /a", 100);
	answer("529", 20);
	request("POST /a", 100);
	answer("500", 20);
	request("POST /b", 100);
	answer("200", 20);
	request("POST /a", 100);
	answer("404", 20);
	finish();
	assert_int_equal(calls[0].attempt, 1);
	assert_int_equal(calls[1].attempt, 2);
	assert_int_equal(calls[1].since_ns, begin_ns);
	assert_int_equal(calls[2].attempt, 1);
	assert_int_equal(calls[3].attempt, 1);
	assert_int_equal(calls[3].outcome, API_REFUSED);
}

static void test_failed_connects_are_attempts(void **state)
{
	uint64_t since_ns;

	(void)state;
	CALL("close", 0, FD);
	CALL("socket", FD, 2, 1, 0);
	piece(1, address, sizeof(address));
	since_ns = now_ns;
	CALL("connect", -LINUX_ECONNREFUSED, FD, 1, 16);
	CALL("close", 0, FD);
	connect_to_server();
	request("POST /a", 100);
	finish();
	assert_int_equal(calls[0].attempt, 2);
	assert_int_equal(calls[0].since_ns, since_ns);
}

/* Calls that are no HTTP, and those of a server. */
static void test_others(void **state)
{
	(void)state;
	CALL("write", 100, FD, 1, 100);
	answer("200", 100);
	CALL("write", 100, FD, 1, 100);
	finish();
	assert_int_equal(requests, 0);
	assert_true(tracker.has_sends);
	assert_false(tracker.has_beginnings);
}

/* --- TLS --- */

static void records(size_t count, const struct syscalls_tls_record *all)
{
	piece_of(1, SYSCALLS_PART_TLS, all, count * sizeof(*all));
}

#define RECORDS(...)                                                                               \
	do {                                                                                       \
		const struct syscalls_tls_record all_[] = { __VA_ARGS__ };                         \
		records(ARRAY_SIZE(all_), all_);                                                   \
	} while (0)

static void hello(const char *flags_and_name, size_t size)
{
	RECORDS({ 22, 0, 512 });
	piece_of(1, SYSCALLS_PART_SERVER, flags_and_name, size);
	CALL("write", 517, FD, 1, 517);
	RECORDS({ 22, 0, 122 }, { 20, 0, 1 }, { 23, 0, 800 });
	CALL("read", 943, FD, 1, 65536);
	RECORDS({ 20, 0, 1 }, { 23, 0, 53 });
	CALL("write", 64, FD, 1, 64);
}

static void tls_request(uint16_t length)
{
	RECORDS({ 23, 0, length });
	CALL("write", length + 5, FD, 1, length + 5u);
}

static void tls_answer(uint16_t length)
{
	RECORDS({ 23, 0, length });
	CALL("read", length + 5, FD, 1, 65536);
}

static void test_tls(void **state)
{
	uint64_t first_ns;

	(void)state;
	hello("\2api.example.com", 16);
	assert_int_equal(requests, 0);
	tls_request(300);
	RECORDS({ 23, 0, 250 }, { 23, 0, 250 }); /* tickets */
	CALL("read", 510, FD, 1, 65536);
	assert_int_equal(answers, 0);
	now_ns += 100 * NS_PER_MS;
	first_ns = now_ns;
	tls_answer(140);
	tls_answer(22);	 /* the last chunk */
	tls_request(19); /* an alert */
	CALL("close", 0, FD);
	assert_int_equal(ended, 1);
	assert_int_equal(requests, 1);
	assert_int_equal(calls[0].first_ns, first_ns);
	assert_int_equal(calls[0].bytes_out, 305);
	assert_int_equal(calls[0].bytes_in, 172);
	assert_int_equal(calls[0].outcome, API_ANSWERED);
	assert_string_equal(connection.tls.server, "api.example.com");
	assert_int_equal(connection.protocol, API_TLS);
}

/* An error behind the last chunk, as of a connection that is idle, cuts no answer off. */
static void test_last_chunk_in_tls(void **state)
{
	(void)state;
	hello("\2", 1);
	tls_request(300);
	RECORDS({ 23, 0, 250 }, { 23, 0, 250 });
	CALL("read", 510, FD, 1, 65536);
	tls_answer(140);
	tls_answer(22);
	CALL("read", -LINUX_ECONNRESET, FD, 1, 4096);
	assert_int_equal(calls[0].outcome, API_ANSWERED);
	assert_int_equal(calls[0].ended_by, API_END_LAST_CHUNK);
	tls_request(300);
	tls_answer(140);
	finish();
	assert_int_equal(calls[1].outcome, API_OPEN);
}

/* Read as libraries do that ask for a head first: tickets in four reads. */
static void test_tickets_in_parts(void **state)
{
	(void)state;
	hello("\2", 1);
	tls_request(300);
	for (int i = 0; i < 2; i++) {
		RECORDS({ 23, 0, 250 });
		CALL("read", 5, FD, 1, 5);
		CALL("read", 250, FD, 1, 250);
	}
	assert_int_equal(answers, 0);
	tls_answer(140);
	assert_int_equal(answers, 1);
	finish();
	assert_int_equal(calls[0].bytes_in, 145);
}

/* A server without tickets: its first record begins the answer, as the next one shows. */
static void test_no_tickets(void **state)
{
	uint64_t first_ns;

	(void)state;
	hello("\2", 1);
	tls_request(300);
	now_ns += 100 * NS_PER_MS;
	first_ns = now_ns;
	tls_answer(140);
	now_ns += 100 * NS_PER_MS;
	tls_answer(60);
	finish();
	assert_int_equal(calls[0].first_ns, first_ns);
	assert_int_equal(calls[0].bytes_in, 145 + 65);
}

/* And where it is all that comes. */
static void test_short_answer(void **state)
{
	(void)state;
	hello("\2", 1);
	tls_request(300);
	now_ns += 100 * NS_PER_MS;
	tls_answer(140);
	CALL("read", 0, FD, 1, 4096);
	assert_int_equal(calls[0].outcome, API_ANSWERED);
	assert_int_equal(calls[0].bytes_in, 145);
}

static void test_http_2_is_one_uncertain_call(void **state)
{
	(void)state;
	hello("\3api.example.com", 16);
	for (int i = 0; i < 3; i++) {
		tls_request(300);
		tls_answer(500);
	}
	CALL("close", 0, FD);
	assert_int_equal(ended, 1);
	assert_false(calls[0].is_exact);
	assert_int_equal(calls[0].outcome, API_UNCERTAIN);
	assert_int_equal(calls[0].bytes_out, 3 * 305);
}

/* A server's own hello is not a client's. */
static void test_served(void **state)
{
	(void)state;
	RECORDS({ 22, 0, 122 });
	CALL("write", 127, FD, 1, 127);
	tls_request(300);
	finish();
	assert_int_equal(requests, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_plain), TEST(test_last_chunk),
		TEST(test_interim), TEST(test_ends), TEST(test_attempts),
		TEST(test_failed_connects_are_attempts), TEST(test_others), TEST(test_tls),
		TEST(test_last_chunk_in_tls), TEST(test_tickets_in_parts), TEST(test_no_tickets),
		TEST(test_short_answer), TEST(test_http_2_is_one_uncertain_call),
		TEST(test_served) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Which waits one sample answers, and which of many processes have a line. */
#include "support.h"

#include "analyze/waits/wait_screen.h"
#include "analyze/waits/wait_decided.h"
#include "base/units.h"
#include "model/field.h"
#include "probes/fds.h"
#include "probes/syscall_names.h"

#define STARTED	    500
#define INTERVAL_NS (200 * NS_PER_MS)

static struct buffer records;

static struct sooth_record head(uint16_t kind, uint32_t pid, uint32_t tid)
{
	return (struct sooth_record){ .time_ns = 2 * NS_PER_S,
		.start_ticks = STARTED,
		.pid = pid,
		.tid = tid,
		.kind = kind };
}

static void process(uint32_t pid, char state)
{
	struct waits_process p = { .record = head(WAITS_PROCESS, 10, 0),
		.node_start_ticks = STARTED,
		.node_pid = pid,
		.threads = 1,
		.state = state };
	struct record_tail tail[] = { tail_string(&p.name, "worker") };

	RECORD_APPEND(&records, &p, tail, 1);
}

/* NULL: it runs. */
static void thread(uint32_t pid, uint32_t tid, const char *call, uint64_t since_ns)
{
	struct waits_thread t = { .record = head(WAITS_THREAD, 10, tid),
		.node_start_ticks = STARTED,
		.since_ns = since_ns,
		.node_pid = pid,
		.syscall =
			call ? (uint32_t)syscall_number(SYSCALL_ABI_X86_64, call, strlen(call)) : 0,
		.state = call ? 'S' : 'R',
		.call_state = state_if(call != NULL),
		.timeout_state = SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { tail_string(&t.name, "worker") };

	RECORD_APPEND(&records, &t, tail, 1);
}

static void party(uint32_t pid, enum waits_relation relation, uint32_t of)
{
	struct waits_party p = { .record = head(WAITS_PARTY, 10, pid),
		.node_start_ticks = STARTED,
		.party_start_ticks = STARTED,
		.node_pid = pid,
		.party_pid = of,
		.relation = (uint8_t)relation,
		.confidence = WAITS_HIGH,
		.is_alive = 1,
		.waiting_fd = WAITS_NO_FD };
	struct record_tail tail[] = { tail_string(&p.name, "worker") };

	RECORD_APPEND(&records, &p, tail, 1);
}

static int reset(void **state)
{
	(void)state;
	buffer_reset(&records);
	return 0;
}

/* --- one sample, or two --- */

static uint64_t more_after_all(void)
{
	struct waits_snapshot end = { .record = head(WAITS_SNAPSHOT, 10, 0) };
	struct wait_decided s = { .interval_ns = INTERVAL_NS };
	struct batch all;
	uint64_t more;

	RECORD_APPEND(&records, &end, NULL, 0);
	all = (struct batch){ records.data, records.size };
	host_state_init(&s.host);
	batch_for_each (r, &all)
		assert_int_equal(wait_decided_add_record(&s, NULL, r), 0);
	more = wait_decided_more(&s);
	assert_int_equal(wait_decided_more(&s), 0);
	host_state_fini(&s.host);
	return more;
}

static void test_blocked(void **state)
{
	(void)state;
	process(10, 'S');
	thread(10, 10, "wait4", 3 * NS_PER_S);
	party(10, WAITS_RELATION_CHILD, 20);
	process(20, 'S');
	thread(20, 20, "clock_nanosleep", 3 * NS_PER_S);
	assert_int_equal(more_after_all(), 0);
}

static void test_child_at_work(void **state)
{
	(void)state;
	process(10, 'S');
	thread(10, 10, "wait4", 3 * NS_PER_S);
	party(10, WAITS_RELATION_CHILD, 20);
	process(20, 'R');
	thread(20, 20, NULL, 0);
	assert_int_equal(more_after_all(), INTERVAL_NS);
}

/* While the main thread rests in its event loop or at a lock, another one may be busy. */
static void test_second_thread(void **state)
{
	static const char *const calls[] = { "epoll_wait", "futex", "clock_nanosleep" };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		reset(state);
		process(10, 'S');
		thread(10, 10, calls[i], 3 * NS_PER_S);
		thread(10, 11, "futex", 3 * NS_PER_S);
		assert_int_equal(more_after_all(), 0);
		reset(state);
		process(10, 'S');
		thread(10, 10, calls[i], 3 * NS_PER_S);
		thread(10, 11, "futex", 10 * NS_PER_MS);
		assert_int_equal(more_after_all(), INTERVAL_NS);
	}
}

/* A wait for a child does not end by what another thread does. */
static void test_other_thread_of_a_parent(void **state)
{
	(void)state;
	process(10, 'S');
	thread(10, 10, "wait4", 3 * NS_PER_S);
	thread(10, 11, "epoll_wait", 10 * NS_PER_MS);
	assert_int_equal(more_after_all(), 0);
}

static void test_short_wait(void **state)
{
	(void)state;
	process(10, 'S');
	thread(10, 10, "clock_nanosleep", 300 * NS_PER_MS);
	assert_int_equal(more_after_all(), INTERVAL_NS);
}

static void test_stopped(void **state)
{
	(void)state;
	process(10, 'Z');
	assert_int_equal(more_after_all(), 0);
}

/* The first sample comes in the first step; without any the second one decides. */
static void test_no_sample(void **state)
{
	struct wait_decided s = { .interval_ns = INTERVAL_NS };

	(void)state;
	host_state_init(&s.host);
	assert_in_range(wait_decided_more(&s), 1, 10 * NS_PER_MS);
	assert_int_equal(wait_decided_more(&s), INTERVAL_NS);
	assert_int_equal(wait_decided_more(&s), 0);
	host_state_fini(&s.host);
}

/* --- many processes --- */

static void add(struct wait_screen *s, uint32_t pid, const char *text)
{
	struct wait_graph g = { .records = { records.data, records.size } };
	struct wait_chain chain;

	wait_chain_follow(&g, pid, &chain);
	wait_screen_add(s, pid, &chain, NULL, span_of_string(text));
}

static void expect_screen(struct wait_screen *s, const char *text)
{
	struct buffer out = { 0 };

	wait_screen_put(s, &out);
	assert_string_equal(buffer_cstr(&out), text);
	buffer_fini(&out);
	wait_screen_fini(s);
}

/* What ends with a stopped process comes before what waits longer; a process in the chain of
 * another one has no line. */
static void test_screen(void **state)
{
	struct wait_screen s = { 0 };

	(void)state;
	process(10, 'S');
	thread(10, 10, "wait4", 3 * NS_PER_S);
	party(10, WAITS_RELATION_CHILD, 20);
	process(20, 'S');
	thread(20, 20, "read", 2 * NS_PER_S);
	party(20, WAITS_RELATION_WRITER, 30);
	process(30, 'T');
	process(40, 'S');
	thread(40, 40, "wait4", 9 * NS_PER_S);
	party(40, WAITS_RELATION_CHILD, 50);
	process(50, 'S');
	thread(50, 50, "clock_nanosleep", 9 * NS_PER_S);
	process(60, 'S');
	thread(60, 60, "epoll_wait", 9 * NS_PER_S);
	process(70, 'S');
	thread(70, 70, "epoll_wait", 9 * NS_PER_S);
	for (uint32_t pid = 20; pid <= 70; pid += 10)
		add(&s, pid, pid == 40 ? "forty" : "another");
	add(&s, 10, "ten");
	expect_screen(&s, "ten\nforty\n2 processes idle, 1 sleeping");
}

static void fifo(uint32_t pid, const char *path)
{
	struct waits_object o = { .record = head(WAITS_OBJECT, 10, pid),
		.node_start_ticks = STARTED,
		.node_pid = pid,
		.type = FDS_FIFO,
		.fd_state = SOOTH_STATE_ABSENT,
		.role = WAITS_ROLE_CALL };
	struct record_tail tail[] = { tail_string(&o.path, path) };

	RECORD_APPEND(&records, &o, tail, 1);
}

/* Of a FIFO whose other end no process has there is one answer, whatever the number of readers. */
static void test_same_object(void **state)
{
	struct wait_screen s = { 0 };

	(void)state;
	for (uint32_t pid = 10; pid <= 50; pid += 10) {
		process(pid, 'S');
		thread(pid, pid, "openat", (pid + 1) * NS_PER_S);
		fifo(pid, pid < 50 ? "/tmp/f" : "/tmp/g");
	}
	for (uint32_t pid = 10; pid <= 50; pid += 10)
		add(&s, pid, pid == 50 ? "fifty" : pid == 40 ? "forty" : "another");
	expect_screen(&s, "fifty\nforty; 3 more wait for the same\n");
}

/* Each has all of them in its chain, and one stands for the circle. */
static void test_circle(void **state)
{
	struct wait_screen s = { 0 };

	(void)state;
	for (uint32_t pid = 10; pid <= 20; pid += 10) {
		process(pid, 'S');
		thread(pid, pid, "flock", 3 * NS_PER_S);
		party(pid, WAITS_RELATION_LOCK, 30 - pid);
	}
	add(&s, 10, "ten");
	add(&s, 20, "twenty");
	expect_screen(&s, "ten\n");
}

static void test_full_screen(void **state)
{
	char text[201], *line, expected[2000] = "";
	struct wait_screen s = { 0 };

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (uint32_t pid = 100; pid < 130; pid++) {
		process(pid, 'S');
		thread(pid, pid, "wait4", 3 * NS_PER_S);
		party(pid, WAITS_RELATION_CHILD, 1000);
	}
	for (uint32_t pid = 100; pid < 130; pid++)
		add(&s, pid, text);
	line = expected;
	for (int i = 0; i < 6; i++)
		line += sprintf(line, "%s\n", text);
	strcpy(line, "and 24 more (-v)\n");
	expect_screen(&s, expected);
}

/* The path of a FIFO is the target's: it makes no line of the report, and does not fill the screen.
 */
static void test_long_text(void **state)
{
	char text[2001], expected[400] = "";
	struct wait_screen s = { 0 };

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	text[3] = '\n';
	process(100, 'S');
	thread(100, 100, "wait4", 3 * NS_PER_S);
	party(100, WAITS_RELATION_CHILD, 1000);
	add(&s, 100, text);
	memset(expected, 'x', 320);
	expected[3] = ' ';
	strcpy(expected + 320, "… (-v)\n");
	expect_screen(&s, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_blocked, reset),
		cmocka_unit_test_setup(test_child_at_work, reset),
		cmocka_unit_test_setup(test_second_thread, reset),
		cmocka_unit_test_setup(test_other_thread_of_a_parent, reset),
		cmocka_unit_test_setup(test_short_wait, reset),
		cmocka_unit_test_setup(test_stopped, reset),
		cmocka_unit_test(test_no_sample),
		cmocka_unit_test_setup(test_screen, reset),
		cmocka_unit_test_setup(test_same_object, reset),
		cmocka_unit_test_setup(test_circle, reset),
		cmocka_unit_test_setup(test_full_screen, reset),
		cmocka_unit_test_setup(test_long_text, reset),
	};
	int status = cmocka_run_group_tests(tests, NULL, NULL);

	buffer_fini(&records);
	return status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The history of calls for detectors: files that were written for nothing, peers, errors that are
 * none, times of what works, what threads waited for; and what no honest writer records. */
#include "call_records.h"

#include <errno.h>
#include <signal.h>

#include "analyze/calls/call_history.h"
#include "base/units.h"
#include "model/stream_records.h"
#include "probes/syscall_flags.h"

#define PID	    7
#define CREATE	    0101
#define EMPTY	    01000
#define APPEND	    02000
#define HERE	    ((uint64_t)AT_FDCWD_LINUX)
#define IN_PROGRESS (-115)
#define REFUSED	    (-111)

static struct call_histories all;
static uint64_t now_ns, duration_ns;
static uint8_t duration_state;
static uint32_t tid;

static void take(uint16_t kind)
{
	struct sooth_record r = { .kind = kind,
		.pid = PID,
		.start_ticks = PID,
		.fixed_words = sizeof(r) / SOOTH_RECORD_WORD,
		.time_ns = now_ns };

	call_histories_add_record(&all, &r);
}

static int setup(void **state)
{
	(void)state;
	now_ns = NS_PER_S;
	duration_ns = 1000;
	duration_state = SOOTH_STATE_VALUE;
	tid = PID;
	buffer_reset(&call_pieces);
	call_histories_init(&all);
	call_histories_begin(&all);
	call_fold_begin_at_once(&all.fold); /* no snapshot will come */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	call_histories_fini(&all);
	call_records_fini();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static uint8_t gaps; /* of the next calls */

static void call_with(const char *name, int64_t result, const uint64_t arguments[6])
{
	struct syscalls_call call = {
		.record = { .pid = PID, .start_ticks = PID, .tid = tid, .time_ns = now_ns },
		.result = result,
		.duration_ns = duration_ns,
		.duration_state = duration_state,
		.gaps = gaps,
		.name = "worker"
	};

	memcpy(call.arguments, arguments, sizeof(call.arguments));
	call_histories_add_record(&all, make_call(&call, name));
	now_ns += NS_PER_MS;
}

#define CALL(name, result, ...) call_with(name, result, (const uint64_t[6]){ __VA_ARGS__ })

static const struct call_history *history(void)
{
	struct process_id id = { .start_ticks = PID, .pid = PID };
	const struct call_history *h = call_histories_get(&all, &id);

	assert_non_null(h);
	return h;
}

static void path_at(uint8_t argument, const char *path)
{
	piece(argument, path, strlen(path));
}

static void open_as(int64_t fd, const char *path, uint64_t flags)
{
	path_at(1, path);
	CALL("openat", fd, HERE, 1, flags);
}

static const struct call_file *file(const char *path)
{
	struct call_path key = { { 0 } };

	memcpy(key.text, path, strlen(path));
	return map_get(&history()->files, &key);
}

/* --- files --- */

static void test_emptied(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		open_as(3, "/state", CREATE | EMPTY);
		CALL("write", 100, 3, 0, 100);
		CALL("write", 50, 3, 0, 50);
		CALL("close", 0, 3);
	}
	assert_int_equal(file("/state")->contents.replaced, 3);
	assert_int_equal(file("/state")->contents.replaced_bytes, 450);
	assert_int_equal(file("/state")->contents.there_bytes, 150);
	open_as(3, "/state", 2);
	CALL("ftruncate", 0, 3, 0);
	assert_int_equal(file("/state")->contents.replaced, 4);
	assert_int_equal(file("/state")->contents.there_bytes, 0);
	assert_int_equal(file("/state")->moves[CALL_WRITTEN].bytes, 600);
}

static void test_a_log_remains(void **state)
{
	(void)state;
	open_as(3, "/log", CREATE | APPEND);
	for (unsigned i = 0; i < 10; i++) {
		CALL("lseek", 0, 3, 0, 0); /* it is written at the end all the same */
		CALL("write", 100, 3, 0, 100);
	}
	assert_int_equal(file("/log")->contents.there_bytes, 1000);
	assert_int_equal(file("/log")->contents.overwritten_bytes, 0);
	assert_int_equal(file("/log")->contents.replaced, 0);
	/* The position of a duplicate is not known. */
	open_as(4, "/old", 1);
	CALL("dup", 5, 4);
	CALL("write", 100, 5, 0, 100);
	CALL("write", 100, 5, 0, 100);
	assert_int_equal(file("/old")->contents.there_bytes, 200);
}

static void test_in_place(void **state)
{
	(void)state;
	open_as(3, "/db", 2);
	CALL("pwrite64", 100, 3, 0, 100, 0);
	CALL("pwrite64", 100, 3, 0, 100, 50); /* half of it over, half added */
	assert_int_equal(file("/db")->contents.there_bytes, 150);
	assert_int_equal(file("/db")->contents.overwritten_bytes, 50);
	CALL("lseek", 0, 3, 0, 0);
	CALL("write", 150, 3, 0, 150);
	CALL("write", 10, 3, 0, 10);
	assert_int_equal(file("/db")->contents.overwritten_bytes, 200);
	assert_int_equal(file("/db")->contents.there_bytes, 160);
	CALL("ftruncate", 0, 3, 40); /* the rest is gone */
	assert_int_equal(file("/db")->contents.there_bytes, 40);
	assert_int_equal(file("/db")->contents.replaced_bytes, 120);
	/* The number is another file's now. */
	CALL("close", 0, 3);
	open_as(3, "/other", 2);
	CALL("write", 10, 3, 0, 10);
	assert_int_equal(file("/other")->contents.there_bytes, 10);
	/* In parts, each once, in whatever order. */
	CALL("pwrite64", 10, 3, 0, 10, 500);
	CALL("pwrite64", 10, 3, 0, 10, 100);
	CALL("pwrite64", 10, 3, 0, 10, 300);
	assert_int_equal(file("/other")->contents.there_bytes, 40);
	assert_int_equal(file("/other")->contents.overwritten_bytes, 0);
	/* One page of a large one. */
	open_as(6, "/page", 2);
	CALL("pwrite64", 10, 6, 0, 10, 5000);
	CALL("pwrite64", 10, 6, 0, 10, 5000);
	assert_int_equal(file("/page")->contents.overwritten_bytes, 10);
}

static void test_renamed_and_removed(void **state)
{
	const struct call_path folder = { "/d" };
	const struct call_scraps *scraps;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		open_as(3, "/d/new", CREATE);
		CALL("write", 100, 3, 0, 100);
		CALL("close", 0, 3);
		path_at(0, "/d/new");
		path_at(1, "/d/state");
		CALL("rename", 0, 1, 1);
	}
	assert_null(file("/d/new"));
	assert_int_equal(file("/d/state")->contents.replaced_bytes, 200);
	assert_int_equal(file("/d/state")->contents.there_bytes, 100);
	path_at(1, "/d/state");
	CALL("unlinkat", 0, HERE, 1, 0);
	scraps = map_get(&history()->scraps, &folder);
	assert_non_null(scraps);
	assert_int_equal(scraps->bytes, 300);
	assert_int_equal(scraps->files, 1);
	assert_false(scraps->has_many_names);
	/* A file that was never written here is no waste. */
	path_at(1, "/d/else");
	CALL("unlinkat", 0, HERE, 1, 0);
	assert_int_equal(scraps->files, 1);
}

static uint64_t own(const char *path, unsigned direction)
{
	uint64_t calls = 0;

	for (unsigned i = 0; i < CALL_SIZES; i++)
		calls += file(path)->moves[direction].own[i].calls;
	return calls;
}

static void test_own_doing(void **state)
{
	(void)state;
	open_as(3, "/data", 2);
	CALL("read", 4, 3, 0, 4);    /* all that it asked for */
	CALL("read", 4, 3, 0, 4096); /* all that there was */
	CALL("read", 4096, 3, 0, 4096);
	CALL("read", 0, 3, 0, 4096);
	assert_int_equal(file("/data")->moves[CALL_READ].calls, 3);
	assert_int_equal(own("/data", CALL_READ), 1);
	CALL("socket", 5, 2, 1, 0);
	CALL("sendto", 4, 5, 0, 4); /* a question */
	CALL("recvfrom", 4, 5, 0, 4096);
	CALL("sendto", 4, 5, 0, 4);
	assert_int_equal(own("TCP", CALL_WRITTEN), 0);
	CALL("sendto", 4, 5, 0, 4); /* and crumbs */
	CALL("sendto", 4, 5, 0, 4);
	assert_int_equal(own("TCP", CALL_WRITTEN), 2);
	assert_int_equal(own("TCP", CALL_READ), 0);
}

/* --- peers --- */

static void address_at(unsigned char last, uint16_t port)
{
	unsigned char bytes[16] = { 2, 0, (unsigned char)(port >> 8), (unsigned char)port, 127, 0,
		0, last };

	piece(1, bytes, sizeof(bytes));
}

static void connect_to(unsigned char last, uint16_t port, int64_t result)
{
	CALL("socket", 9, 2, 1, 0);
	address_at(last, port);
	CALL("connect", result, 9, 1, 16);
}

static const struct call_peer *peer(const char *address)
{
	struct call_path key = { { 0 } };

	memcpy(key.text, address, strlen(address));
	return map_get(&history()->peers, &key);
}

static void told(uint32_t error)
{
	piece(3, &error, sizeof(error));
	CALL("getsockopt", 0, 9, 1, 4, 1, 1);
}

static void test_peers(void **state)
{
	(void)state;
	connect_to(1, 80, REFUSED);
	connect_to(1, 80, 0);
	assert_int_equal(peer("127.0.0.1:80")->failed, 1);
	assert_int_equal(peer("127.0.0.1:80")->made, 1);
	assert_int_equal(peer("127.0.0.1:80")->errors[0].error, 111);
	connect_to(1, 81, IN_PROGRESS);
	told(111);
	told(0); /* it was told already */
	connect_to(1, 81, IN_PROGRESS);
	told(0);
	connect_to(1, 81, IN_PROGRESS);
	CALL("write", 3, 9, 0, 3);
	connect_to(1, 81, IN_PROGRESS);
	address_at(1, 81);
	CALL("connect", -106, 9, 1, 16);
	assert_int_equal(peer("127.0.0.1:81")->attempts, 4);
	assert_int_equal(peer("127.0.0.1:81")->failed, 1);
	assert_int_equal(peer("127.0.0.1:81")->made, 3);
	connect_to(1, 82, IN_PROGRESS);
	CALL("close", 0, 9);
	connect_to(1, 82, IN_PROGRESS);
	now_ns += 2 * NS_PER_S;
	CALL("close", 0, 9);
	assert_int_equal(peer("127.0.0.1:82")->unknown, 1);
	assert_int_equal(peer("127.0.0.1:82")->given_up, 1);
	assert_int_equal(peer("127.0.0.1:82")->failed, 1);
}

static void test_another_address(void **state)
{
	(void)state;
	connect_to(1, 443, REFUSED);
	connect_to(1, 443, REFUSED);
	connect_to(2, 443, 0);
	assert_int_equal(peer("127.0.0.1:443")->excused, 1); /* one for one */
	connect_to(1, 443, REFUSED);
	now_ns += 10 * NS_PER_S;
	connect_to(2, 443, 0); /* has nothing to do with it */
	connect_to(3, 444, 0);
	assert_int_equal(peer("127.0.0.1:443")->excused, 1);
	assert_int_equal(peer("127.0.0.1:443")->failed, 3);
	CALL("socket", 9, 10, 2, 0); /* UDP: nothing is sent */
	address_at(9, 443);
	CALL("connect", -101, 9, 1, 16);
	assert_null(peer("127.0.0.9:443"));
}

/* A resolver's socket, and a poll of it that returns these events. */
static void datagram_to(uint16_t port, uint16_t events)
{
	unsigned char item[8] = { 9, 0, 0, 0, 1, 0, (unsigned char)events };

	CALL("socket", 9, 2, 2, 0);
	address_at(1, port);
	CALL("connect", 0, 9, 1, 16);
	CALL("sendto", 30, 9, 1, 30, 0, 0, 0);
	piece(0, item, sizeof(item));
	CALL("poll", 1, 1, 1, 5000);
}

static void test_datagrams(void **state)
{
	enum { READY = 1, ERROR = 8 };

	(void)state;
	datagram_to(53, ERROR);
	CALL("close", 0, 9);
	assert_int_equal(peer("127.0.0.1:53")->attempts, 1);
	assert_int_equal(peer("127.0.0.1:53")->failed, 1);
	assert_int_equal(peer("127.0.0.1:53")->errors[0].error, 111);
	datagram_to(54, READY);
	CALL("recvfrom", 30, 9, 1, 100, 0, 0, 0);
	CALL("close", 0, 9);
	assert_int_equal(peer("127.0.0.1:54")->made, 1);
	assert_int_equal(peer("127.0.0.1:54")->failed, 0);
	datagram_to(55, READY);
	CALL("recvfrom", REFUSED, 9, 1, 100, 0, 0, 0);
	CALL("close", 0, 9);
	assert_int_equal(peer("127.0.0.1:55")->failed, 1);
	/* An address is tried out by a connect, without a word. */
	CALL("socket", 9, 2, 2, 0);
	address_at(1, 56);
	CALL("connect", 0, 9, 1, 16);
	CALL("close", 0, 9);
	call_histories_resolve(&all);
	assert_null(peer("127.0.0.1:56"));
}

/* --- errors, times, waits --- */

static void look_at(const char *path, int64_t result)
{
	path_at(1, path);
	CALL("newfstatat", result, HERE, 1, 1, 0);
}

static void test_errors(void **state)
{
	(void)state;
	look_at("/a/tool", -ENOENT);
	look_at("/a/tool", -ENOENT);
	look_at("/b/tool.js", 0);
	CALL("ioctl", -25, 0, 0x5401);
	CALL("read", -EAGAIN, 0, 0, 1);
	CALL("wait4", -ECHILD, 1);
	assert_int_equal(history()->failures.count, 1);
	assert_int_equal(call_history_found(history(), "/a/tool"), 1);
	assert_int_equal(call_history_found(history(), "/a/tools"), 0);
	assert_int_equal(history()->looks, 3);
	CALL("write", -ENOSPC, 7, 0, 1);
	assert_int_equal(history()->failures.count, 2);
	assert_true(call_error_is_grave(ENOSPC));
	assert_false(call_error_is_grave(ENOENT));
}

static uint64_t timed(const char *name, const char *path)
{
	struct call_place place = { .number = (uint32_t)syscall_number(
					    SYSCALL_ABI_X86_64, name, strlen(name)) };
	const struct call_times *t;

	memcpy(place.text, path, strlen(path));
	t = map_get(&history()->times, &place);
	return t ? t->total_ns : 0;
}

static void test_what_works(void **state)
{
	(void)state;
	duration_ns = 50 * NS_PER_MS;
	look_at("/slow", 0);
	assert_int_equal(timed("newfstatat", ""), duration_ns);
	assert_int_equal(timed("newfstatat", "/slow"), duration_ns);
	open_as(3, "/file", 0);
	CALL("read", 1000000, 3, 0, 1000000);
	assert_int_equal(timed("read", ""), duration_ns - 2000000);
	CALL("pipe2", 0, 1, 0);
	CALL("read", 1, 20, 0, 1); /* nobody knows what it is */
	CALL("poll", 0, 1, 1, 50);
	CALL("futex", 0, 4096, 0, 1);
	CALL("flock", 0, 3, 2);
	CALL("clone", 9, 0);
	open_as(4, "/dev/tty", 0);
	CALL("read", 1, 4, 0, 1);
	CALL("socket", 5, 2, 1, 0);
	CALL("recvfrom", 1, 5, 0, 1);
	assert_int_equal(timed("read", ""), duration_ns - 2000000);
	assert_int_equal(timed("poll", "") + timed("futex", "") + timed("flock", "") +
				 timed("clone", "") + timed("recvfrom", ""),
		0);
}

static void test_waits(void **state)
{
	const struct call_waits *w;

	(void)state;
	tid = 8;
	duration_ns = NS_PER_MS;
	CALL("poll", 0, 1, 1, 1);
	CALL("epoll_wait", 1, 3, 1, 1, 1);
	CALL("futex", -110, 4096, 128, 1); /* FUTEX_WAIT | FUTEX_PRIVATE_FLAG, ETIMEDOUT */
	CALL("futex", 0, 4096, 128 | 9, 1);
	CALL("futex", 1, 4096, 128 | 1, 1); /* wakes */
	CALL("clock_nanosleep", 0, 1, 0, 1);
	CALL("sched_yield", 0, 0);
	duration_ns = 1000;
	CALL("poll", 0, 1, 1, 0); /* did not wait */
	w = map_get(&history()->waits, &tid);
	assert_non_null(w);
	assert_int_equal(w->by_time, 3);
	assert_int_equal(w->by_event, 2);
	assert_int_equal(w->locks, 2);
	assert_int_equal(w->wakes, 1);
	assert_int_equal(w->yields, 1);
	assert_int_equal(w->lock, 4096);
}

/* A call that began unseen is not known to be slow, or to sleep, whatever its record says. */
static void test_what_began_unseen(void **state)
{
	const struct call_waits *w;

	(void)state;
	duration_ns = 50 * NS_PER_MS;
	open_as(3, "/file", 0);
	duration_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSEEN);
	look_at("/slow", 0);
	CALL("read", 1000, 3, 0, 1000);
	CALL("poll", 0, 1, 1, 50);
	CALL("futex", 0, 4096, 128, 1);
	assert_int_equal(timed("newfstatat", "") + timed("read", ""), 0);
	assert_int_equal(file("/file")->moves[CALL_READ].bytes, 1000);
	assert_int_equal(file("/file")->moves[CALL_READ].total_ns, 0);
	w = map_get(&history()->waits, &tid);
	assert_non_null(w);
	assert_int_equal(w->by_time + w->by_event, 0);
	assert_int_equal(w->locks, 1);
}

/* --- bounds, loss, intervals --- */

static void test_loss(void **state)
{
	struct stream_loss loss = { .record = { .kind = STREAM_LOSS }, .records = 5 };
	struct record_tail tail[] = { { &loss.source, "syscalls", 8 } };
	struct buffer record = { 0 };

	(void)state;
	RECORD_APPEND(&record, &loss, tail, 1);
	call_histories_add_record(&all, (const void *)record.data);
	assert_int_equal(all.lost, 5);
	buffer_fini(&record);
	call_histories_next_interval(&all);
	assert_int_equal(all.lost, 0);
}

static void test_next_interval(void **state)
{
	(void)state;
	open_as(3, "/db", 2);
	CALL("write", 100, 3, 0, 100);
	connect_to(1, 80, IN_PROGRESS);
	call_histories_resolve(&all);
	assert_int_equal(peer("127.0.0.1:80")->under_way, 1);
	call_histories_next_interval(&all);
	assert_null(file("/db"));
	assert_int_equal(history()->calls, 0);
	/* It stands where it stood. */
	CALL("write", 100, 3, 0, 100);
	CALL("pwrite64", 100, 3, 0, 100, 0);
	assert_int_equal(file("/db")->contents.there_bytes, 200);
}

static void test_bounds(void **state)
{
	char path[64];

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(path, sizeof(path), "/d/%u", i);
		look_at(path, -ENOENT);
	}
	take(STREAM_END);
	call_histories_resolve(&all);
	assert_int_equal(history()->looks, 20000);
	assert_true(history()->files.count < 20000 && all.refused > 0);
}

static void test_hostile(void **state)
{
	static const int64_t values[] = { INT64_MAX, INT64_MIN, -1, 0, 1, UINT32_MAX, -4096 };

	(void)state;
	duration_ns = UINT64_MAX;
	open_as(3, "/x", EMPTY);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		uint64_t v = (uint64_t)values[i];

		for (uint32_t number = 0; number < 470; number++) {
			const struct syscall_row *row =
				syscall_by_number(SYSCALL_ABI_X86_64, number);

			if (!row)
				continue;
			CALL(row->name, values[i], 3, v, v, v, v, v);
			CALL(row->name, 3, v, v, v, v, v, v);
		}
	}
	call_histories_resolve(&all);
	assert_true(history()->calls > 0);
}

/* A scope is the interface of an address; older structs end before it. */
static void test_scopes(void **state)
{
	static const struct {
		uint32_t scope;
		size_t size;
		const char *text;
	} cases[] = {
		{ 2, 28, "[fe80::1%2]:9" },
		{ UINT32_MAX, 28, "[fe80::1%4294967295]:9" },
		{ 0, 28, "[fe80::1]:9" },
		{ 2, 27, "[fe80::1]:9" },
		{ 2, 24, "[fe80::1]:9" },
		{ 2, 23, NULL },
	};
	char bytes[28] = { 10, 0, 0, 9, 0, 0, 0, 0, (char)0xfe, (char)0x80 };
	char text[FD_FOLLOW_ADDRESS];

	(void)state;
	bytes[23] = 1;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memcpy(bytes + 24, &cases[i].scope, sizeof(cases[i].scope));
		assert_int_equal(call_address(span_of(bytes, cases[i].size), text, sizeof(text)),
			!!cases[i].text);
		if (cases[i].text)
			assert_string_equal(text, cases[i].text);
	}
}

/* The number of a PID names a process only in the namespace of the host; a pidfd anywhere. */
static void test_named_processes(void **state)
{
	const struct call_repeat_key *key;
	const struct call_repeat *r;
	size_t position = 0, named = 0;

	(void)state;
	CALL("kill", 0, 500, 0);
	CALL("kill", 0, 500, SIGTERM);
	assert_int_equal(history()->signals.count, 0);
	gaps = SYSCALLS_OWN_PIDS;
	CALL("kill", 0, 501, 0);
	CALL("kill", 0, 501, SIGTERM);
	gaps = 0;
	assert_int_equal(history()->signals.count, 1);
	CALL("pidfd_send_signal", 0, 7, SIGTERM);
	assert_int_equal(history()->signals.count, 2);
	while ((r = call_repeats_next(history(), &position, &key))) {
		named += r->is_of_process;
		assert_true(!r->is_of_process || key->fd == 501);
	}
	assert_int_equal(named, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_emptied), TEST(test_a_log_remains),
		TEST(test_in_place), TEST(test_renamed_and_removed), TEST(test_own_doing),
		TEST(test_peers), TEST(test_another_address), TEST(test_datagrams),
		TEST(test_errors), TEST(test_what_works), TEST(test_waits),
		TEST(test_what_began_unseen), TEST(test_loss), TEST(test_scopes),
		TEST(test_named_processes), TEST(test_next_interval), TEST(test_bounds),
		TEST(test_hostile) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The call that a spinning thread repeats, at both sides of what makes it the cause. */
#include "call_records.h"
#include "check_threads.h"

#include <errno.h>

#include "probes/fds.h"
#include "probes/sockets.h"

#define RECORDED 200 /* records; each stands for `skipped` more */

/* It has only just started, so that without its calls severity is low. */
static const struct thread_made young = {
	.name = "loop", .state = 'R', .cpu = 80, .waited = 15, .involuntary = 10, .system = 60
};

struct repeated {
	const char *name;
	int64_t result;
	uint64_t arguments[6];
	uint32_t skipped;
	const char *path;
	uint8_t gaps;
	uint32_t events; /* of the ready descriptor */
	int32_t ready;
};

static void put_ready(const struct repeated *r)
{
	unsigned char event[12] = { 0 };

	memcpy(event, &r->events, 4);
	memcpy(event + 4, &r->ready, 4);
	if (r->events)
		piece(1, event, sizeof(event));
	if (r->path)
		piece(1, r->path, strlen(r->path));
}

static void repeats(const struct repeated *r, int count)
{
	for (int i = 0; i < count; i++) {
		struct syscalls_call call = { .record = head_of(
						      0.01 + 4.9 * i / count, PID, SYSCALLS_CALL),
			.result = r->result,
			.duration_ns = 300,
			.skipped = r->skipped,
			.gaps = r->gaps,
			.name = "loop" };
		const struct sooth_record *made;

		call.record.tid = PID;
		memcpy(call.arguments, r->arguments, sizeof(call.arguments));
		put_ready(r);
		made = make_call(&call, r->name);
		buffer_append(&records, made, record_bytes(made));
	}
}

static void spins(const struct repeated *first, int first_count, const struct repeated *second,
	int second_count)
{
	add_source("syscalls");
	is_there();
	thread(young);
	threads_read(1);
	repeats(first, first_count);
	if (second)
		repeats(second, second_count);
	call_records_fini();
}

static const struct repeated end_of_file = { .name = "read", .arguments = { 3 }, .skipped = 9999 };

static void reads_end(double skipped)
{
	struct repeated r = end_of_file;

	r.skipped = (uint32_t)skipped;
	spins(&r, RECORDED, NULL, 0);
}

/* The second one moves what the first one found. */
static void polls_and_reads(double reads)
{
	static const struct repeated ready = {
		.name = "epoll_wait", .result = 1, .arguments = { 4 }, .skipped = 9999
	};
	static const struct repeated data = {
		.name = "read", .result = 1, .arguments = { 3, 0, 1 }, .skipped = 9999
	};

	spins(&ready, RECORDED, &data, (int)reads);
}

static void returns(double result)
{
	const struct repeated r = {
		.name = "recvfrom", .result = (int64_t)result, .arguments = { 3 }, .skipped = 9999
	};

	spins(&r, RECORDED, NULL, 0);
}

static void polls(double result)
{
	const struct repeated r = {
		.name = "epoll_wait", .result = (int64_t)result, .arguments = { 4 }, .skipped = 9999
	};

	spins(&r, RECORDED, NULL, 0);
}

static void asks(double count)
{
	static const struct repeated r = { .name = "getppid", .result = 1, .skipped = 9999 };

	spins(&r, (int)count, NULL, 0);
}

/* Another file each time, for all that is known. */
static void looks(double value)
{
	static const struct repeated r = { .name = "newfstatat", .skipped = 9999, .path = "/a" };

	(void)value;
	spins(&r, RECORDED, NULL, 0);
}

/* The file stands for itself; what a thread does beside its reads is given. */
static void reads_file(const char *path, int others)
{
	const struct repeated opens = {
		.name = "openat", .result = 3, .arguments = { (uint64_t)-100, 1 }, .path = path
	};
	static const struct repeated reads = {
		.name = "pread64", .result = 27, .arguments = { 3, 0, 100 }, .skipped = 9999
	};
	static const struct repeated other = { .name = "getppid", .result = 1, .skipped = 9999 };

	add_source("syscalls");
	is_there();
	thread(young);
	threads_read(1);
	repeats(&opens, 1);
	repeats(&reads, RECORDED);
	repeats(&other, others);
	call_records_fini();
}

static void reads_state(double others)
{
	reads_file("/proc/7/statm", (int)others);
}

static void reads_data(double others)
{
	reads_file("/srv/data", (int)others);
}

static void is_one_of(double others)
{
	static const struct repeated other = {
		.name = "newfstatat", .skipped = 9999, .path = "/a"
	};

	spins(&end_of_file, RECORDED, &other, (int)others);
}

/* Counted in windows: the first has all, each later one stands for the gap before it. */
static void in_windows(double skipped)
{
	struct repeated r = end_of_file, later = end_of_file;

	r.skipped = 0;
	later.skipped = (uint32_t)skipped;
	later.gaps = SYSCALLS_GAP_KEPT | SYSCALLS_GAP_WINDOW | SYSCALLS_GAP_TIME;
	spins(&r, RECORDED, &later, RECORDED);
}

/* No record follows the first gap: the limit that is written at the end shows it. */
static void in_no_window(double value)
{
	struct stream_limit limit = { .record = head_of(4, 0, STREAM_LIMIT) };
	struct record_tail tail[] = { put_text(&limit.what, "system calls in 97 % of the time") };

	reads_end(value);
	RECORD_APPEND(&records, &limit, tail, 1);
}

/* The same descriptor, which is of that type. */
static void reads_end_of(double type)
{
	struct fds_descriptor d = {
		.record = head_of(LOOKS - 1, PID, FDS_DESCRIPTOR), .fd = 3, .type = (uint8_t)type
	};
	struct fds_process end = { .record = head_of(LOOKS - 1, PID, FDS_PROCESS) };

	reads_end(9999);
	RECORD_APPEND(&records, &d, NULL, 0);
	RECORD_APPEND(&records, &end, NULL, 0);
}

static void test_repeats(void **state)
{
	static const struct check_case cases[] = {
		{ "cpu-spin", reads_end, 9999, NULL,
			"medium/high: read returns end of file on fd 3, 400,000 times a second; "
			"uses "
			"80 % of a CPU |[share of the thread's "
			"calls that are this one: 100 %|<wait before reading again" },
		{ "cpu-spin", reads_end_of, FDS_PIPE, NULL,
			"medium/high: read returns end of file on fd 3, 400,000 times a second; "
			"the "
			"other end is closed: no process writes to it any more, and what started "
			"it "
			"has probably ended|<end, or close the input" },
		{ "cpu-spin", reads_end_of, FDS_FILE, NULL, "medium/high: |!the other end" },
		/* 100 us of CPU for each call: the calls are not what takes its CPU. */
		{ "cpu-spin", reads_end, 200, NULL, "medium/high: read returns" },
		{ "cpu-spin", reads_end, 190, NULL, "low/medium: an endless loop|!read returns" },
		{ "cpu-spin", returns, 0, NULL, "medium/high: recvfrom returns end of" },
		{ "cpu-spin", returns, -EAGAIN, NULL,
			"medium/high: recvfrom returns EAGAIN, nothing there yet, on fd 3, "
			"400,000" },
		{ "cpu-spin", returns, -ENOTCONN, NULL,
			"medium/high: recvfrom fails with ENOTCONN on fd 3|<pause after" },
		{ "cpu-spin", polls, 1, NULL,
			"medium/high: epoll_wait returns at once, 400,000 times a second: a "
			"descriptor "
			"is always ready" },
		{ "cpu-spin", polls, 0, NULL,
			"medium/high: epoll_wait returns at once|no event, and no timeout" },
		/* A quarter of all calls. */
		{ "cpu-spin", polls_and_reads, 66, NULL, "medium/high: epoll_wait" },
		{ "cpu-spin", polls_and_reads, 67, NULL,
			"low/medium: an endless loop|!epoll_wait" },
		{ "cpu-spin", is_one_of, 600, NULL, "medium/high: read returns" },
		{ "cpu-spin", is_one_of, 601, NULL, "low/medium: an endless loop|!read returns" },
		{ "cpu-spin", asks, 32, NULL,
			"low/medium: an endless loop|; getppid is called 64,000 times a second" },
		{ "cpu-spin", asks, 31, NULL,
			"low/medium: an endless loop|; much of the time in system calls" },
		/* All of 4,000,200 calls, although the first weights are low. */
		{ "cpu-spin", in_windows, 19999, NULL,
			"medium/high: read returns end of file on fd 3, at least 800,000 times a "
			"second|[sampled in time" },
		{ "syscall-errors", in_windows, 19999, NULL,
			"blind: calls were counted in short windows" },
		{ "syscall-errors", reads_end, 9999, NULL, "fine: " },
		{ "syscall-errors", in_no_window, 9999, NULL,
			"blind: calls were counted in short windows" },
		{ "slow-syscalls", in_windows, 19999, NULL,
			"blind: calls were counted in short windows" },
		{ "slow-syscalls", reads_end, 9999, NULL, "fine: longest" },
		{ "cpu-spin", reads_state, 0, NULL,
			"medium/high: pread64 on fd 3 (/proc/7/statm), 400,000 times a second: it "
			"asks for its state without a pause; uses 80 % of a CPU|<pause between "
			"two" },
		{ "cpu-spin", reads_state, 22, NULL, "medium/high: pread64 on fd 3" },
		{ "cpu-spin", reads_state, 23, NULL, "low/medium: |!pread64 on" },
		{ "cpu-spin", reads_data, 0, NULL, "low/medium: |!pread64 on" },
		{ "cpu-spin", looks, 0, NULL,
			"low/medium: an endless loop|; much of the time in system calls" },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_repeats) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

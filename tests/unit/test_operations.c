/* SPDX-License-Identifier: BSD-2-Clause */
/* Files and bytes of "operations": requests through io_uring beside calls. */
#include "call_records.h"
#include "shown.h"

#include <fcntl.h>

#include "analyze/calls/operations.h"

#define PID	7
#define READ	22
#define WRITEV	2
#define TIMEOUT 11

static uint64_t now_ns = 1000;

static struct sooth_record head_of(uint16_t kind)
{
	return (struct sooth_record){
		.time_ns = ++now_ns, .start_ticks = PID, .pid = PID, .tid = PID, .kind = kind
	};
}

static void open_file(int64_t fd, const char *path)
{
	struct syscalls_call call = { .record = head_of(SYSCALLS_CALL),
		.result = fd,
		.arguments = { (uint64_t)AT_FDCWD, 1 } };
	const struct sooth_record *r;

	piece(1, path, strlen(path));
	r = make_call(&call, "openat");
	buffer_append(&records, r, record_bytes(r));
}

static void complete(uint32_t opcode, int32_t fd, int64_t result)
{
	struct syscalls_uring_done done = { .record = head_of(SYSCALLS_URING_DONE),
		.duration_ns = 100,
		.result = result,
		.fd = fd,
		.opcode = opcode };

	RECORD_APPEND(&records, &done, NULL, 0);
}

static void submit(uint32_t opcode, uint64_t count)
{
	struct syscalls_uring u = {
		.record = head_of(SYSCALLS_URING), .count = count, .opcode = opcode
	};

	RECORD_APPEND(&records, &u, NULL, 0);
}

static bool shows(const char *csv)
{
	bool is_there = strstr(shown.data, csv) != NULL;

	if (!is_there)
		print_error("no \"%s\" in:\n%s", csv, shown.data);
	return is_there;
}

static void test_requests_have_files(void **state)
{
	const struct operations_options options = { .io = true };

	(void)state;
	open_file(3, "/data/a");
	complete(READ, 3, 4096);
	complete(READ, 3, 100);
	complete(READ, 3, -5);
	complete(WRITEV, SYSCALLS_URING_REGISTERED, 50);
	open_file(3, "/data/b"); /* the same number again */
	complete(READ, 3, 1);
	submit(READ, 5);
	submit(WRITEV, 1);
	submit(TIMEOUT, 2);
	show_view("trace", "operations", &options, "csv");
	assert_true(shows("/data/a,file,4196,0,3,0,1,0,1,"));
	assert_true(shows("/data/b,file,1,0,1,0,1,0,0,"));
	assert_true(shows("registered file of io_uring: name unknown,other,0,50,0,1,0,0,0,"));
	/* A read is left whose completion was not seen. */
	show_view("trace", "operations", &options, "table");
	assert_true(shows("effects of 3 io_uring requests: READ 1, TIMEOUT 2"));
}

static void test_of_nothing(void **state)
{
	const struct operations_options options = { .io = true };

	(void)state;
	submit(READ, 5);
	complete(UINT32_MAX, 3, INT64_MIN); /* of no honest writer */
	show_view("trace", "operations", &options, "table");
	assert_true(shows("effects of 5 io_uring requests: READ 5"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_requests_have_files),
		TEST(test_of_nothing),
	};
	int status = cmocka_run_group_tests(tests, NULL, NULL);

	call_records_fini();
	return status;
}

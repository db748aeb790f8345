/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsers that lie, hang, crash and try more than to parse, in the process that parses for sooth.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parser.h"
#include "os/linux/rights/parser_process.h"

#define MORE_MAX 4096

enum request { DOUBLE, FAIL, END, CRASH, LIE, HANG, MORE, TOO_MUCH, CALL };

struct job {
	int request; /* what parse() does */
	int result;
	long number, arguments[4]; /* of a system call */
	char text[8];
};

/* Writes a head that promises more than it may have: the answer is on the only socket. */
static void write_lie(void)
{
	const uint64_t head[2] = { 0, UINT64_MAX };

	for (int fd = 0; fd < 16; fd++)
		send(fd, head, sizeof(head), MSG_NOSIGNAL);
	_exit(0);
}

static int parse(int fd, void *argument, struct buffer *more)
{
	struct job *job = argument;

	switch (job->request) {
	case DOUBLE:
		job->result *= 2;
		return pread(fd, job->text, sizeof(job->text), 0) == sizeof(job->text) ? 0 : -EIO;
	case FAIL:
		job->result = 0;
		return -EINVAL;
	case END:
		_exit(0);
	case CRASH:
		abort();
	case LIE:
		write_lie();
		return 0;
	case HANG:
		for (;;)
			__asm__ volatile("");
	case TOO_MUCH:
		more->limit = 0;
		buffer_zeros(more, MORE_MAX + 1);
		return 0;
	case MORE:
		buffer_zeros(more, MORE_MAX);
		return 0;
	default:
		job->result = syscall(job->number, job->arguments[0], job->arguments[1],
				      job->arguments[2], job->arguments[3]) < 0
				      ? errno
				      : 0;
		return 0;
	}
}

static const struct parser parser = { "a test", parse };
static int file;
static char owned[] = "/tmp/sooth-owner-XXXXXX"; /* the parsers have a copy of this name */

static int run(enum request request, struct job *job, struct buffer *more)
{
	job->request = (int)request;
	job->result = 21;
	return parser_run_apart(&parser, file, job, sizeof(*job), more);
}

static void test_answers(void **state)
{
	struct job job = { 0 };
	struct buffer more = { .limit = MORE_MAX };

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(run(DOUBLE, &job, NULL), 0);
		assert_int_equal(job.result, 42);
		assert_memory_equal(job.text, "contents", 8);
		assert_int_equal(run(FAIL, &job, NULL), -EINVAL);
	}
	assert_int_equal(run(MORE, &job, &more), 0);
	assert_int_equal(more.size, MORE_MAX);
	assert_null(parser_failure());
	buffer_fini(&more);
}

/* The same process answers several jobs for one file. */
static void test_several_jobs(void **state)
{
	struct job job = { .request = DOUBLE, .result = 1 };
	int end = parser_open(&parser, file, sizeof(job), 0);

	(void)state;
	assert_true(end >= 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(parser_ask(&parser, end, &job, sizeof(job), NULL), 0);
	assert_int_equal(job.result, 1024);
	close(end);
}

/* The job stays as it was, the failure is kept, and the next parser answers. */
static void test_no_answer(void **state)
{
	static const enum request requests[] = { END, CRASH, LIE, TOO_MUCH };
	struct buffer more = { .limit = MORE_MAX };
	struct job job = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		assert_int_equal(run(requests[i], &job, &more), -ECHILD);
		assert_int_equal(job.result, 21);
		assert_int_equal(more.size, 0);
		assert_string_equal(parser_failure(), "a test");
		assert_int_equal(run(DOUBLE, &job, NULL), 0);
	}
}

static int call(long number, long first, long second, long third)
{
	struct job job = { .number = number, .arguments = { first, second, third } };

	assert_int_equal(run(CALL, &job, NULL), 0);
	return job.result;
}

/* Calls of a parser that a file has taken over. */
static void test_calls(void **state)
{
	(void)state;
	assert_int_equal(call(SYS_openat, AT_FDCWD, (long)"/dev/null", O_RDONLY), EPERM);
	assert_int_equal(call(SYS_socket, AF_INET, SOCK_STREAM, 0), EPERM);
	assert_int_equal(call(SYS_kill, 1, 0, 0), EPERM);
	assert_int_equal(call(SYS_ptrace, 0, 0, 0), EPERM);
	assert_int_equal(call(SYS_execve, (long)"/bin/true", 0, 0), EPERM);
	assert_int_equal(call(SYS_clone, SIGCHLD, 0, 0), EPERM);
	assert_int_equal(call(SYS_fcntl, 0, F_SETFL, O_ASYNC), EPERM);
	assert_int_equal(call(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC), EPERM);
	assert_int_equal(call(SYS_mprotect, 0, 4096, PROT_EXEC), EPERM);
	assert_int_equal(call(SYS_write, 2, (long)"x", 1), EPERM);
	assert_int_not_equal(call(SYS_lseek, 0, 0, SEEK_CUR), EPERM);
}

static int run_as(uint32_t uid, struct job *job)
{
	const struct parser_owner owner = {
		.uid = uid, .gid = 65534, .group_count = 1, .groups = { 65533 }
	};

	job->request = CALL;
	assert_int_equal(parser_run_as(&parser, &owner, file, job, sizeof(*job)), 0);
	return job->result;
}

static int call_as(uint32_t uid, long number, long first, long second, long third)
{
	struct job job = { .number = number, .arguments = { first, second, third } };

	return run_as(uid, &job);
}

/* Landlock does since Linux 6.2. */
static bool can_forbid_truncation(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 3;
}

/* A reader of an owner's files that a file has taken over: it may read them, and nothing else. */
static void test_calls_of_a_reader(void **state)
{
	static const struct open_how hows[] = { { .flags = O_WRONLY | O_TRUNC },
		{ .flags = O_RDONLY | O_TRUNC } };
	(void)state;
	if (geteuid()) /* without privileges it is this process that reads */
		skip();
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t uid = i ? 0 : 65534;

		assert_int_equal(call_as(uid, SYS_setresuid, 0, 0, 0), EPERM);
		assert_int_equal(
			call_as(uid, SYS_openat, AT_FDCWD, (long)"/etc/passwd", O_RDONLY), 0);
		assert_int_equal(call_as(uid, SYS_openat, AT_FDCWD, (long)owned, O_RDONLY),
			uid ? 0 : EACCES); /* root without capabilities */
		assert_int_equal(call_as(uid, SYS_openat, AT_FDCWD, (long)"/etc/shadow", O_RDONLY),
			uid ? EACCES : 0);
		assert_int_equal(call_as(uid, SYS_openat, AT_FDCWD, (long)owned, O_RDWR), EPERM);
		assert_int_equal(call_as(uid, SYS_unlinkat, AT_FDCWD, (long)owned, 0), EPERM);
		assert_int_equal(call_as(uid, SYS_fcntl, 0, F_SETFL, O_ASYNC), EPERM);
		assert_int_equal(call_as(uid, SYS_fcntl, 0, F_SETOWN, getpid()), EPERM);
		assert_int_equal(call_as(uid, SYS_socket, AF_INET, SOCK_STREAM, 0), EPERM);
		assert_int_equal(call_as(uid, SYS_kill, getpid(), 0, 0), EPERM);
		assert_int_equal(call_as(uid, SYS_ptrace, 0, 0, 0), EPERM);
		assert_int_equal(call_as(uid, SYS_execve, (long)"/bin/true", 0, 0), EPERM);
		assert_int_equal(call_as(uid, SYS_clone, SIGCHLD, 0, 0), EPERM);
		assert_int_equal(call_as(uid, SYS_mprotect, 0, 4096, PROT_EXEC), EPERM);
	}
	for (uint32_t i = 0; i < 4; i++) {
		struct job with_how = { .number = SYS_openat2,
			.arguments = { AT_FDCWD, (long)owned, (long)&hows[i / 2], sizeof(*hows) } };

		if (i < 2 || can_forbid_truncation())
			assert_int_equal(run_as(i % 2 ? 0 : 65534, &with_how), EACCES);
	}
}

/* Its limit of CPU time ends it. */
static void test_hang(void **state)
{
	struct job job = { 0 };

	(void)state;
	assert_int_equal(run(HANG, &job, NULL), -ECHILD);
	assert_int_equal(run(DOUBLE, &job, NULL), 0);
}

static int make_file(void **state)
{
	const struct rlimit cpu = { 2, 2 }; /* less than a parser's own limit */
	int his;

	(void)state;
	setrlimit(RLIMIT_CPU, &cpu);
	file = memfd_create("file", MFD_CLOEXEC);
	his = mkstemp(owned);
	if (his < 0 || (!geteuid() && fchown(his, 65534, 65534)))
		return -1;
	close(his);
	parser_process_start(NULL); /* without root nothing is started */
	return write(file, "contents", 8) == 8 ? 0 : -1;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(owned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_several_jobs),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_calls_of_a_reader),
		cmocka_unit_test(test_hang),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of descriptors while calls go by: each effect, what survives a fork and an exec, what is
 * not known, and calls that no honest writer records. */
#include "call_records.h"

#include <sys/ioctl.h>

#include "analyze/calls/fd_follow.h"
#include "base/escape.h"
#include "model/stream_records.h"
#include "probes/fds.h"
#include "probes/proc.h"

static struct fd_follow follow;
static struct buffer record, text;

#define PID 7

static int setup(void **state)
{
	(void)state;
	fd_follow_init(&follow);
	buffer_reset(&call_pieces);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fd_follow_fini(&follow);
	call_records_fini();
	buffer_fini(&record);
	buffer_fini(&text);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void call_of(uint32_t pid, const char *name, int64_t result, uint64_t a, uint64_t b,
	uint64_t c, uint64_t d)
{
	struct syscalls_call call = { .record = { .pid = pid, .start_ticks = pid },
		.result = result,
		.arguments = { a, b, c, d } };

	fd_follow_add_record(&follow, make_call(&call, name));
}

#define CALL(name, result, ...)                                                                    \
	do {                                                                                       \
		const uint64_t args[4] = { __VA_ARGS__ };                                          \
		call_of(PID, name, result, args[0], args[1], args[2], args[3]);                    \
	} while (0)

static const char *name_of(uint32_t pid, int64_t fd)
{
	struct process_id id = { .start_ticks = pid, .pid = pid };

	buffer_reset(&text);
	fd_follow_put(&follow, &id, fd, &text);
	return buffer_cstr(&text);
}

#define IS(fd, expected) assert_string_equal(name_of(PID, fd), expected)

static void open_as(int64_t fd, const char *path, uint64_t flags)
{
	piece(1, path, strlen(path));
	CALL("openat", fd, (uint64_t)AT_FDCWD_LINUX, 1, flags);
}

static void read_directory(const char *path)
{
	struct proc_process p = { .record = {
					  .pid = PID, .start_ticks = PID, .kind = PROC_PROCESS } };
	struct record_tail tail[] = { { &p.directory, path, strlen(path) } };

	buffer_reset(&record);
	RECORD_APPEND(&record, &p, tail, 1);
	fd_follow_add_record(&follow, (const void *)record.data);
}

static void test_files(void **state)
{
	(void)state;
	IS(3, "?");
	open_as(3, "/etc/passwd", 0);
	IS(3, "/etc/passwd");
	open_as(-2, "/nothing", 0);
	IS(-2, "?");
	open_as(4, "relative", 0);
	IS(4, "relative"); /* where it begins is not known */
	read_directory("/home/me");
	open_as(4, "relative", 0);
	IS(4, "/home/me/relative");
	open_as(5, "/srv", 0200000);
	piece(1, "x", 1);
	CALL("openat", 6, 5, 1, 0);
	IS(6, "/srv/x");
	CALL("close", 0, 3);
	IS(3, "?");
	piece(0, "sub", 3);
	CALL("chdir", 0, 1);
	open_as(7, "y", 0);
	IS(7, "/home/me/sub/y");
	CALL("fchdir", 0, 5);
	open_as(8, "z", 0);
	IS(8, "/srv/z");
}

/* As of a 32-bit program: its pointers are not followed. */
static void test_a_path_that_was_not_read(void **state)
{
	(void)state;
	read_directory("/home/me");
	CALL("openat", 3, (uint64_t)AT_FDCWD_LINUX, 0x804a006, 0);
	IS(3, "?");
	CALL("openat", 4, (uint64_t)AT_FDCWD_LINUX, 0x804a006, 020200000); /* O_TMPFILE */
	IS(4, "?");
	CALL("chdir", 0, 0x804a006);
	open_as(5, "x", 0);
	IS(5, "x"); /* where it begins is not known any more */
	CALL("memfd_create", 6, 0x804a006, 0);
	IS(6, "memfd");
}

/* In and out as often as one likes: a name has an end, and then is unknown. */
static void test_a_name_does_not_grow_for_ever(void **state)
{
	struct process_id id = { .start_ticks = PID, .pid = PID };
	size_t longest = 0, last = 0;

	(void)state;
	read_directory("/home/me");
	for (int i = 0; i < 10000; i++) {
		piece(0, i % 2 ? ".." : "sub", i % 2 ? 2 : 3);
		CALL("chdir", 0, 1);
		last = fd_follow_directory(&follow, &id).size;
		longest = last > longest ? last : longest;
	}
	assert_true(longest > 4000 && longest < 4200);
	assert_int_equal(last, 0);
	open_as(3, "x", 0);
	IS(3, "x");
	piece(0, "/srv", 4);
	CALL("chdir", 0, 1);
	open_as(3, "x", 0);
	IS(3, "/srv/x");
	open_as(4, "/srv", 0200000);
	for (int i = 0; i < 10000; i++) {
		piece(1, "..", 2);
		CALL("openat", 4, 4, 1, 0200000);
		assert_true(strlen(name_of(PID, 4)) < 4200);
	}
}

/* Where a step from an unknown place leads to is unknown, until a reading tells. */
static void test_steps_from_an_unknown_directory(void **state)
{
	struct process_id id = { .start_ticks = PID, .pid = PID };

	(void)state;
	assert_false(fd_follow_has_moved(&follow, &id));
	piece(0, "sub", 3);
	CALL("chdir", 0, 1);
	assert_true(fd_follow_has_moved(&follow, &id));
	open_as(3, "x", 0);
	IS(3, "x");
	open_as(4, "other", 0200000);
	CALL("fchdir", 0, 4);
	open_as(5, "x", 0);
	IS(5, "x");
	read_directory("/home/me/sub/other");
	open_as(6, "x", 0);
	IS(6, "/home/me/sub/other/x");
}

/* Opened without O_DIRECTORY, as tar does: what is opened from it lies in it all the same. */
static void test_directories_that_nobody_calls_so(void **state)
{
	struct process_id id = { .start_ticks = PID, .pid = PID };

	(void)state;
	open_as(4, "/srv", 0200000);
	piece(1, "docs", 4);
	CALL("openat", 5, 4, 1, 04000 | 02000000);
	IS(5, "/srv/docs");
	assert_int_equal(fd_follow_get(&follow, &id, 5)->kind, FD_FOLLOWED_FILE);
	piece(1, "a.md", 4);
	CALL("openat", 6, 5, 1, 0);
	IS(6, "/srv/docs/a.md");
	assert_int_equal(fd_follow_get(&follow, &id, 5)->kind, FD_FOLLOWED_DIRECTORY);
	piece(1, "/etc/a.md", 9);
	CALL("openat", 7, 6, 1, 0);
	IS(7, "/etc/a.md");
	assert_int_equal(fd_follow_get(&follow, &id, 6)->kind, FD_FOLLOWED_FILE);
	open_as(8, "/tmp", 0);
	CALL("getdents64", 48, 8, 0, 100);
	assert_int_equal(fd_follow_get(&follow, &id, 8)->kind, FD_FOLLOWED_DIRECTORY);
	/* No place at all: where it begins is not known. */
	CALL("epoll_create1", 9, 0);
	piece(1, "x", 1);
	CALL("openat", 10, 9, 1, 0);
	IS(10, "x");
}

/* As runtimes write it that have no openat. */
static void test_below_a_descriptor_of_its_own(void **state)
{
	static const struct {
		const char *path, *means;
	} rows[] = {
		{ "/proc/self/fd/4/docs/a.md", "/srv/docs/a.md" },
		{ "/proc/self/fd/4//a.md", "/srv/a.md" },
		{ "/proc/self/fd/4", "/proc/self/fd/4" },
		{ "/proc/self/fd/4/", "/proc/self/fd/4/" },
		{ "/proc/self/fd/9/a.md", "/proc/self/fd/9/a.md" },
		{ "/proc/self/fd/4x/a.md", "/proc/self/fd/4x/a.md" },
		{ "/proc/self/fd/99999999999/a.md", "/proc/self/fd/99999999999/a.md" },
		{ "/proc/self/fdinfo/4", "/proc/self/fdinfo/4" },
	};

	(void)state;
	open_as(4, "/srv", 0200000);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_as(5, rows[i].path, 0);
		IS(5, rows[i].means);
	}
}

static void test_numbers(void **state)
{
	int32_t pair[2] = { 10, 11 };

	(void)state;
	open_as(3, "/a", 0);
	CALL("dup", 4, 3);
	CALL("dup2", 9, 3, 9);
	CALL("fcntl", 20, 3, 0, 20);
	IS(4, "/a");
	IS(9, "/a");
	IS(20, "/a");
	piece(0, pair, sizeof(pair));
	CALL("pipe2", 0, 1, 0);
	IS(10, "pipe with 11");
	CALL("close_range", 0, 9, 15, 0);
	IS(9, "?");
	IS(10, "?");
	IS(20, "/a");
	/* The new file of 4 is not known, and it is no longer the one before. */
	CALL("dup2", 4, 99, 4);
	IS(4, "?");
	CALL("epoll_create1", 5, 0);
	IS(5, "epoll");
}

static void test_sockets(void **state)
{
	const unsigned char peer[16] = { 2, 0, 1, 0xbb, 160, 79, 104, 10 };
	const unsigned char own[16] = { 2, 0, 0x13, 0x88, 10, 0, 0, 2 };
	const char path[] = "\1\0/run/x";

	(void)state;
	CALL("socket", 3, 2, 1 | 02000000, 0);
	IS(3, "TCP");
	piece(1, peer, sizeof(peer));
	CALL("connect", -115, 3, 1, 16); /* under way */
	IS(3, "TCP →160.79.104.10:443");
	piece(1, own, sizeof(own));
	CALL("getsockname", 0, 3, 1, 2);
	IS(3, "TCP 10.0.0.2:5000→160.79.104.10:443");
	CALL("connect", 0, 3, 0x804a006, 16);
	IS(3, "TCP 10.0.0.2:5000");
	CALL("socket", 4, 1, 1, 0);
	piece(1, path, sizeof(path) - 1);
	CALL("bind", 0, 4, 1, 8);
	CALL("listen", 0, 4, 5);
	IS(4, "UNIX /run/x listening");
	CALL("accept4", 5, 4, 0, 0, 0);
	IS(5, "UNIX /run/x");
	piece(1, peer, sizeof(peer));
	CALL("connect", -111, 5, 1, 16); /* refused */
	IS(5, "UNIX /run/x");
}

/* The first snapshot of descriptors comes late for a process that has just started, and has no
 * addresses; the one of sockets may have come before. */
static void test_a_snapshot_of_what_calls_have_shown(void **state)
{
	const unsigned char peer[16] = { 2, 0, 1, 0xbb, 160, 79, 104, 10 };
	struct fds_descriptor d = {
		.record = { .pid = PID, .start_ticks = PID, .kind = FDS_DESCRIPTOR },
		.fd = 3,
		.type = FDS_TCP
	};

	(void)state;
	CALL("socket", 3, 2, 1, 0);
	piece(1, peer, sizeof(peer));
	CALL("connect", 0, 3, 1, 16);
	buffer_reset(&record);
	RECORD_APPEND(&record, &d, NULL, 0);
	fd_follow_add_record(&follow, (const void *)record.data);
	IS(3, "TCP →160.79.104.10:443");
	d.type = FDS_PIPE; /* another file: a call was lost */
	buffer_reset(&record);
	RECORD_APPEND(&record, &d, NULL, 0);
	fd_follow_add_record(&follow, (const void *)record.data);
	IS(3, "pipe");
}

#define TAKE(value)                                                                                \
	do {                                                                                       \
		buffer_reset(&record);                                                             \
		RECORD_APPEND(&record, &(value), NULL, 0);                                         \
		fd_follow_add_record(&follow, (const void *)record.data);                          \
	} while (0)

static void test_lives(void **state)
{
	struct process_join join = { .record = { .pid = 8, .start_ticks = 8, .kind = PROCESS_JOIN },
		.parent_start_ticks = PID,
		.parent_pid = PID };
	struct process_exec exec = { .record = {
					     .pid = 8, .start_ticks = 8, .kind = PROCESS_EXEC } };
	struct process_leave leave = {
		.record = { .pid = 8, .start_ticks = 8, .kind = PROCESS_LEAVE }
	};

	(void)state;
	open_as(3, "/stays", 0);
	open_as(4, "/goes", 02000000);
	TAKE(join);
	assert_string_equal(name_of(8, 4), "/goes");
	TAKE(exec);
	assert_string_equal(name_of(8, 3), "/stays");
	assert_string_equal(name_of(8, 4), "?");
	IS(4, "/goes");
	CALL("fcntl", 0, 4, 2, 0); /* F_SETFD without FD_CLOEXEC */
	CALL("fcntl", 0, 3, 2, 1);
	exec.record.pid = PID;
	exec.record.start_ticks = PID;
	TAKE(exec);
	IS(4, "/goes");
	IS(3, "?");
	TAKE(leave);
	assert_string_equal(name_of(8, 3), "?");
}

/* Pieces that lie about their size, numbers beyond everything. */
/* Some runtimes mark their descriptors by ioctl(2). */
static void test_marked_by_ioctl(void **state)
{
	struct process_exec exec = {
		.record = { .pid = PID, .start_ticks = PID, .kind = PROCESS_EXEC }
	};

	(void)state;
	open_as(3, "/stays", 0);
	open_as(4, "/goes", 0);
	open_as(5, "/stays/too", 02000000);
	CALL("ioctl", 0, 4, FIOCLEX);
	CALL("ioctl", 0, 5, FIONCLEX);
	CALL("ioctl", 0, 3, FIONREAD);
	CALL("ioctl", -9, 3, FIOCLEX);
	TAKE(exec);
	IS(3, "/stays");
	IS(4, "?");
	IS(5, "/stays/too");
}

static void test_hostile(void **state)
{
	struct syscalls_piece lie = { .argument = 1, .size = 0xfffffff0 };

	(void)state;
	buffer_append(&call_pieces, &lie, sizeof(lie));
	CALL("openat", 3, 0, 1, 0);
	IS(3, "?");
	CALL("close_range", 0, 0, UINT32_MAX, 0);
	CALL("dup", INT64_MAX, 3);
	CALL("pipe2", 0, 1, 0);
	piece(1, "\2", 1);
	CALL("connect", 0, 3, 1, 1);
	piece(1, "/\033[31m", 6);
	CALL("openat", 3, 0, 1, 0);
	IS(3, "/\033[31m"); /* whoever shows it escapes it */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_files),
		TEST(test_a_path_that_was_not_read),
		TEST(test_a_name_does_not_grow_for_ever),
		TEST(test_steps_from_an_unknown_directory),
		TEST(test_directories_that_nobody_calls_so),
		TEST(test_below_a_descriptor_of_its_own),
		TEST(test_numbers),
		TEST(test_marked_by_ioctl),
		TEST(test_sockets),
		TEST(test_a_snapshot_of_what_calls_have_shown),
		TEST(test_lives),
		TEST(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

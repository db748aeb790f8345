/* SPDX-License-Identifier: BSD-2-Clause */
/* What is opened, read, written, and what becomes of descriptors. */
#include "calls.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>

static char text[4096];

static void vectors(const char *file, long fd)
{
	char a[] = "first\n", b[] = "second", got[32];
	struct iovec out[2] = { { a, 6 }, { b, 6 } }, in[2] = { { got, 4 }, { got + 4, 20 } };

	CALL(writev, fd, P(out), 2);
	told(NULL, "%s, [6 \"first\\n\", 6], 2", file);
	CALL(lseek, fd, 0, SEEK_SET);
	told(NULL, "%s, 0, SEEK_SET", file);
	CALL(readv, fd, P(in), 2);
	told(NULL, "%s, [4 \"hell\", 20], 2", file);
	CALL(pwritev, fd, P(out), 1, 100, 0);
	told(NULL, "%s, [6 \"first\\n\"], 1, 100", file);
	CALL(preadv, fd, P(in), 1, 100, 0);
	told(NULL, "%s, [4 \"firs\"], 1, 100", file);
	CALL(pwritev2, fd, P(out), 2, 200, 0, RWF_DSYNC | RWF_APPEND);
	told(NULL, "%s, [6 \"first\\n\", 6], 2, 200, RWF_DSYNC|RWF_APPEND", file);
	CALL(preadv2, fd, P(in), 1, 100000, 0, 0);
	told(NULL, "%s, [4 \"\"], 1, 100000, 0", file);
}

static void reads_and_writes(long fd)
{
	const char *file = fd_of(fd, "plain");

	CALL(write, fd, P("hello\nworld"), 11);
	told(NULL, "%s, \"hello\\nworld\", 11", file);
	CALL(pwrite64, fd, P("\"quoted\" \\ \033[31m\xff\t\0end"), 22, 4096);
	told(NULL, "%s, \"\\\"quoted\\\" \\\\ \\x1b[31m\\xff\\t\\x00end\", 22, 4096", file);
	CALL(lseek, fd, -11, SEEK_CUR);
	told(NULL, "%s, -11, SEEK_CUR", file);
	CALL(read, fd, P(text), 5);
	told(NULL, "%s, \"hello\", 5", file);
	CALL(pread64, fd, P(text), sizeof(text), 4096);
	told(NULL, "%s, \"\\\"quoted\\\" \\\\ \\x1b[31m\\xff\\t\\x00end\", 4096, 4096", file);
	memset(text, 'x', sizeof(text));
	CALL(write, fd, P(text), 3000);
	told(NULL, "%s, \"%.64s\"..., 3000", file, text);
	CALL(write, fd, 1, 5);
	told(NULL, "%s, 0x1, 5", file);
	CALL(read, 999, P(text), 5);
	told(NULL, "999<?>, 0x%lx, 5", P(text));
}

static void sizes(long fd)
{
	const char *file = fd_of(fd, "plain");

	CALL(ftruncate, fd, 8192);
	told(NULL, "%s, 8192", file);
	CALL(truncate, P("plain"), 4096);
	told(in_calls("plain"), "\"plain\", 4096");
	CALL(fallocate, fd, FALLOC_FL_KEEP_SIZE, 0, 65536);
	told(NULL, "%s, FALLOC_FL_KEEP_SIZE, 0, 65536", file);
	CALL(fallocate, fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 4096, 8192);
	told(NULL, "%s, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, 4096, 8192", file);
	CALL(fadvise64, fd, 0, 4096, POSIX_FADV_DONTNEED);
	told(NULL, "%s, 0, 4096, POSIX_FADV_DONTNEED", file);
	CALL(fsync, fd);
	told(NULL, "%s", file);
	CALL(fdatasync, fd);
	told(NULL, "%s", file);
}

static void flocks(long fd)
{
	const char *file = fd_of(fd, "plain");

	CALL(flock, fd, 2 /* LOCK_EX */ | 4 /* LOCK_NB */);
	told(NULL, "%s, LOCK_EX|LOCK_NB", file);
	CALL(flock, fd, 8);
	told(NULL, "%s, LOCK_UN", file);
}

/* Between descriptors. */
static void copies(long fd)
{
	const char *from = fd_of(fd, "plain"), *to;
	long copy = CALL(openat, AT_FDCWD, P("copy"), O_RDWR | O_CREAT, 0600);
	loff_t at = 0;

	told(in_calls("copy"), "AT_FDCWD, \"copy\", O_RDWR|O_CREAT, 0600");
	to = fd_of(copy, "copy");
	CALL(copy_file_range, fd, P(&at), copy, 0, 16, 0);
	told(NULL, "%s, 0x%lx, %s, NULL, 16, 0", from, P(&at), to);
	CALL(sendfile, copy, fd, P(&at), 16);
	told(NULL, "%s, %s, 0x%lx, 16", to, from, P(&at));
	CALL(close, copy);
	told(NULL, "%s", to);
}

static void opens(void)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_BENEATH };
	long fd = CALL(openat2, AT_FDCWD, P("plain"), P(&how), sizeof(how));

	told(in_calls("plain"),
		"AT_FDCWD, \"plain\", {O_RDONLY|O_CLOEXEC, 0, RESOLVE_BENEATH}, 24");
	CALL(close, fd);
	told(NULL, "%s", fd_of(fd, "plain"));
	fd = CALL(openat, AT_FDCWD, P("."), O_RDWR | O_TMPFILE | O_EXCL, 0600);
	told(calls_folder, "AT_FDCWD, \".\", O_RDWR|O_TMPFILE|O_EXCL, 0600");
	CALL(close, fd);
	told(NULL, "%s", fd_of(fd, "(no name)"));
	fd = CALL(openat, AT_FDCWD, P("plain"),
		O_WRONLY | O_SYNC | O_APPEND | O_NONBLOCK | O_NOATIME, 0);
	told(in_calls("plain"),
		"AT_FDCWD, \"plain\", O_WRONLY|O_SYNC|O_APPEND|O_NONBLOCK|O_NOATIME");
	CALL(close, fd);
	told(NULL, "%s", fd_of(fd, "plain"));
	CALL(openat, AT_FDCWD, P("missing"), O_RDONLY, 0);
	told(in_calls("missing"), "AT_FDCWD, \"missing\", O_RDONLY");
	CALL(openat, 999, P("plain"), O_PATH | O_NOFOLLOW | O_DIRECTORY, 0);
	told("plain", "999<?>, \"plain\", O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_PATH");
	CALL(close, 999);
	told(NULL, "999<?>");
}

void calls_of_files(void)
{
	long fd = CALL(openat, AT_FDCWD, P("plain"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	told(in_calls("plain"), "AT_FDCWD, \"plain\", O_RDWR|O_CREAT|O_TRUNC|O_CLOEXEC, 0640");
	reads_and_writes(fd);
	vectors(fd_of(fd, "plain"), fd);
	sizes(fd);
	flocks(fd);
	copies(fd);
	CALL(close, fd);
	told(NULL, "%s", fd_of(fd, "plain"));
	opens();
}

/* --- what becomes of descriptors --- */

static void duplicates(long fd)
{
	const char *file = fd_of(fd, "plain");
	long copy = CALL(dup, fd), again;

	told(NULL, "%s", file);
	CALL(dup3, fd, 40, O_CLOEXEC);
	told(NULL, "%s, 40, O_CLOEXEC", file);
	again = CALL(fcntl, fd, F_DUPFD_CLOEXEC, 50);
	told(NULL, "%s, F_DUPFD_CLOEXEC, 50", file);
	CALL(fcntl, copy, F_SETFD, FD_CLOEXEC);
	told(NULL, "%s, F_SETFD, FD_CLOEXEC", fd_of(copy, "plain"));
	CALL(fcntl, copy, F_GETFD);
	told(NULL, "%s, F_GETFD", fd_of(copy, "plain"));
	/* The kernel does not look at the upper half of an int, where engines of JavaScript have a
	 * mark; an offset has 64 bits. */
	CALL(fcntl, copy | 0xfffel << 48, F_GETFD);
	told(NULL, "%s, F_GETFD", fd_of(copy, "plain"));
	CALL(lseek, copy, 0xffffffffl, SEEK_SET);
	told(NULL, "%s, 4294967295, SEEK_SET", fd_of(copy, "plain"));
	CALL(lseek, copy, -1, SEEK_SET);
	told(NULL, "%s, -1, SEEK_SET", fd_of(copy, "plain"));
	CALL(readahead, copy, 3l << 30, 1);
	told(NULL, "%s, 3221225472, 1", fd_of(copy, "plain"));
	CALL(lseek, copy, 0, SEEK_SET);
	told(NULL, "%s, 0, SEEK_SET", fd_of(copy, "plain"));
	CALL(fcntl, copy, F_SETFL, O_APPEND | O_NONBLOCK);
	told(NULL, "%s, F_SETFL, O_RDONLY|O_APPEND|O_NONBLOCK", fd_of(copy, "plain"));
	CALL(fcntl, copy, F_GETFL);
	told(NULL, "%s, F_GETFL", fd_of(copy, "plain"));
	CALL(close_range, again, again, 0);
	told(NULL, "%ld, %ld, 0", again, again);
	CALL(close, again);
	told(NULL, "%s", fd_is(again, "?"));
	CALL(close_range, 40, 40, 4 /* CLOSE_RANGE_CLOEXEC */);
	told(NULL, "40, 40, CLOSE_RANGE_CLOEXEC");
	CALL(close, 40);
	told(NULL, "%s", fd_of(40, "plain"));
	CALL(close, copy);
	told(NULL, "%s", fd_of(copy, "plain"));
}

static void pipes(void)
{
	int ends[2] = { -1, -1 };
	char in[64], out[64], got[16];

	CALL(pipe2, P(ends), O_CLOEXEC | O_NONBLOCK);
	snprintf(in, sizeof(in), "%d<pipe with %d>", ends[0], ends[1]);
	snprintf(out, sizeof(out), "%d<pipe with %d>", ends[1], ends[0]);
	told(NULL, "[%s, %s], O_NONBLOCK|O_CLOEXEC", in, out);
	CALL(read, ends[0], P(got), sizeof(got));
	told(NULL, "%s, 0x%lx, 16", in, P(got));
	CALL(write, ends[1], P("abc"), 3);
	told(NULL, "%s, \"abc\", 3", out);
	CALL(ioctl, ends[0], FIONREAD, P(got));
	told(NULL, "%s, FIONREAD, 0x%lx", in, P(got));
	CALL(read, ends[0], P(got), sizeof(got));
	told(NULL, "%s, \"abc\", 16", in);
	CALL(close, ends[1]);
	told(NULL, "%s", out);
	CALL(read, ends[0], P(got), sizeof(got));
	told(NULL, "%s, \"\", 16", in);
	CALL(close, ends[0]);
	told(NULL, "%s", in);
}

static void memory_files(void)
{
	long fd = CALL(memfd_create, P("mem\nfile"), 3);

	told(NULL, "\"mem\\nfile\", MFD_CLOEXEC|MFD_ALLOW_SEALING");
	CALL(ftruncate, fd, 4096);
	told(NULL, "%s, 4096", fd_is(fd, "memfd:mem\\nfile"));
	CALL(fcntl, fd, F_ADD_SEALS, F_SEAL_SHRINK);
	told(NULL, "%s, F_ADD_SEALS, F_SEAL_SHRINK", fd_is(fd, "memfd:mem\\nfile"));
	CALL(close, fd);
	told(NULL, "%s", fd_is(fd, "memfd:mem\\nfile"));
}

void calls_of_descriptors(void)
{
	long fd = CALL(openat, AT_FDCWD, P("plain"), O_RDONLY, 0);

	told(in_calls("plain"), "AT_FDCWD, \"plain\", O_RDONLY");
	duplicates(fd);
	CALL(close, fd);
	told(NULL, "%s", fd_of(fd, "plain"));
	pipes();
	memory_files();
}

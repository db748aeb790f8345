/* SPDX-License-Identifier: BSD-2-Clause */
/* Output files: modes, links, old contents, what a failed run leaves. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"

static char folder[] = "/tmp/sooth-test-file-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void make(const char *name, const char *text, mode_t mode)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void assert_holds(const char *name, const char *text)
{
	char held[256] = "";
	int fd = open(path_of(name), O_RDONLY);

	assert_true(fd >= 0);
	assert_true(read(fd, held, sizeof(held) - 1) >= 0);
	close(fd);
	assert_string_equal(held, text);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(path_of(name), &st), 0);
	return st.st_mode & 07777;
}

static unsigned files(void)
{
	DIR *dir = opendir(folder);
	unsigned count = 0;
	struct dirent *entry;

	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static int empty_folder(void **state)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	(void)state;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			remove(path_of(entry->d_name));
	closedir(dir);
	return 0;
}

static void test_beside(void **state)
{
	struct out_file f;
	struct sooth_error err;

	(void)state;
	make("out", "old", 0644);
	umask(0);
	assert_int_equal(out_file_open(&f, path_of("out"), false, &err), 0);
	umask(022);
	assert_int_equal(files(), 2);
	assert_non_null(f.temporary);
	fputs("new", f.stream);
	assert_holds("out", "old");
	assert_int_equal(out_file_commit(&f, &err), 0);
	assert_null(f.temporary);
	assert_holds("out", "new");
	out_file_close(&f);
	assert_null(f.stream);
	out_file_close(&f);
	assert_holds("out", "new");
	assert_int_equal(mode_of("out"), 0600);
	assert_int_equal(files(), 1);
}

static void test_abandoned(void **state)
{
	struct out_file f;

	(void)state;
	make("out", "old", 0644);
	assert_int_equal(out_file_open(&f, path_of("out"), false, NULL), 0);
	fputs("new", f.stream);
	out_file_close(&f);
	assert_holds("out", "old");
	assert_int_equal(files(), 1);
	f = (struct out_file){ 0 };
	out_file_close(&f);
}

static void test_in_place(void **state)
{
	struct out_file f;

	(void)state;
	make("out", "old contents", 0644);
	assert_int_equal(out_file_open(&f, path_of("out"), true, NULL), 0);
	assert_null(f.temporary);
	assert_int_equal(mode_of("out"), 0600);
	fputs("new", f.stream);
	fflush(f.stream);
	assert_holds("out", "new");
	out_file_close(&f); /* a cut run leaves what it wrote */
	assert_holds("out", "new");
	umask(0);
	assert_int_equal(out_file_open(&f, path_of("fresh"), true, NULL), 0);
	umask(022);
	assert_int_equal(mode_of("fresh"), 0600);
	assert_int_equal(out_file_commit(&f, NULL), 0);
	out_file_close(&f);
	assert_holds("fresh", "");
}

static void test_link(void **state)
{
	(void)state;
	make("target", "precious", 0644);
	assert_int_equal(symlink("target", path_of("link")), 0);
	assert_int_equal(symlink("nowhere", path_of("dangling")), 0);
	for (int in_place = 0; in_place < 2; in_place++) {
		static const char *const names[] = { "link", "dangling" };

		for (unsigned i = 0; i < 2; i++) {
			struct out_file f;
			struct sooth_error err = { 0 };

			assert_int_equal(
				out_file_open(&f, path_of(names[i]), in_place, &err), -ELOOP);
			assert_null(f.stream);
			assert_non_null(strstr(err.tried, path_of(names[i])));
			assert_non_null(strstr(err.why, "symbolic link"));
			assert_true(err.remedy[0] != '\0');
			assert_int_equal(err.fault, SOOTH_FAULT_IO);
			assert_int_equal(
				out_file_open(&f, path_of(names[i]), in_place, NULL), -ELOOP);
		}
	}
	assert_holds("target", "precious");
	assert_int_equal(access(path_of("nowhere"), F_OK), -1);
	assert_int_equal(files(), 3);
}

/* A link that comes while the report is written is replaced, not followed. */
static void test_link_later(void **state)
{
	struct out_file f;

	(void)state;
	make("target", "precious", 0644);
	assert_int_equal(out_file_open(&f, path_of("out"), false, NULL), 0);
	assert_int_equal(symlink("target", path_of("out")), 0);
	fputs("new", f.stream);
	assert_int_equal(out_file_commit(&f, NULL), 0);
	out_file_close(&f);
	assert_holds("target", "precious");
	assert_holds("out", "new");
	assert_int_equal(mode_of("out"), 0600);
}

static void test_kinds(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(mkdir(path_of("dir"), 0700), 0);
	assert_true(strlen(path_of("socket")) < sizeof(address.sun_path));
	strcpy(address.sun_path, path_of("socket"));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	for (int in_place = 0; in_place < 2; in_place++) {
		struct sooth_error err = { 0 };
		struct out_file f;

		assert_int_equal(out_file_open(&f, path_of("dir"), in_place, &err), -EISDIR);
		assert_non_null(strstr(err.why, "folder"));
		assert_int_equal(out_file_open(&f, path_of("socket"), in_place, &err), -EINVAL);
		assert_non_null(strstr(err.why, "socket"));
		assert_int_equal(out_file_open(&f, path_of("none/out"), in_place, &err), -ENOENT);
		assert_int_equal(err.fault, SOOTH_FAULT_IO);
		assert_true(err.why[0] && err.remedy[0]);
		assert_int_equal(
			out_file_open(&f, path_of("socket/out"), in_place, &err), -ENOTDIR);
		assert_int_equal(out_file_open(&f, "", in_place, &err), -ENOENT);
		assert_null(f.stream);
		assert_null(f.path);
	}
	close(fd);
	assert_int_equal(files(), 2);
}

static void test_devices(void **state)
{
	struct stat before, after;

	(void)state;
	assert_int_equal(stat("/dev/null", &before), 0);
	for (int in_place = 0; in_place < 2; in_place++) {
		struct out_file f;

		assert_int_equal(out_file_open(&f, "/dev/null", in_place, NULL), 0);
		assert_null(f.temporary);
		fputs("x", f.stream);
		assert_int_equal(out_file_commit(&f, NULL), 0);
		out_file_close(&f);
	}
	assert_int_equal(stat("/dev/null", &after), 0);
	assert_int_equal(before.st_mode, after.st_mode);
}

static void test_fifo(void **state)
{
	struct out_file f;
	char held[8] = "";
	int fd;

	(void)state;
	assert_int_equal(mkfifo(path_of("fifo"), 0644), 0);
	fd = open(path_of("fifo"), O_RDONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(out_file_open(&f, path_of("fifo"), false, NULL), 0);
	assert_null(f.temporary);
	fputs("hello", f.stream);
	assert_int_equal(out_file_commit(&f, NULL), 0);
	out_file_close(&f);
	assert_int_equal(read(fd, held, sizeof(held)), 5);
	assert_string_equal(held, "hello");
	close(fd);
	assert_true(S_ISFIFO(mode_of("fifo") | S_IFIFO));
	assert_int_equal(files(), 1);
}

static void test_full(void **state)
{
	struct sooth_error err = { 0 };
	struct out_file f;

	(void)state;
	if (access("/dev/full", W_OK))
		skip();
	assert_int_equal(out_file_open(&f, "/dev/full", true, NULL), 0);
	fputs("x", f.stream);
	assert_int_equal(out_file_commit(&f, &err), -ENOSPC);
	assert_int_equal(err.fault, SOOTH_FAULT_IO);
	assert_string_equal(err.why, strerror(ENOSPC));
	out_file_close(&f);
}

/* A write that failed long before is found at the end, and leaves the old file alone. */
static void test_failed_write(void **state)
{
	struct sooth_error err = { 0 };
	struct out_file f;
	int full = open("/dev/full", O_WRONLY);

	(void)state;
	if (full < 0)
		skip();
	make("out", "old", 0600);
	assert_int_equal(out_file_open(&f, path_of("out"), false, NULL), 0);
	assert_true(dup2(full, fileno(f.stream)) >= 0);
	close(full);
	fputs("x", f.stream);
	assert_int_equal(fflush(f.stream), EOF);
	assert_int_equal(out_file_commit(&f, &err), -EIO);
	assert_null(f.temporary);
	out_file_close(&f);
	assert_holds("out", "old");
	assert_int_equal(files(), 1);
}

static void test_failed_rename(void **state)
{
	struct sooth_error err = { 0 };
	struct out_file f;

	(void)state;
	assert_int_equal(out_file_open(&f, path_of("out"), false, NULL), 0);
	assert_int_equal(mkdir(path_of("out"), 0700), 0);
	assert_int_equal(out_file_commit(&f, &err), -EISDIR);
	assert_non_null(strstr(err.tried, "rename"));
	out_file_close(&f);
	assert_int_equal(files(), 1);
}

static void test_stdout(void **state)
{
	struct out_file f;

	(void)state;
	assert_int_equal(out_file_open(&f, "-", true, NULL), 0);
	assert_ptr_equal(f.stream, stdout);
	assert_null(f.path);
	assert_int_equal(out_file_commit(&f, NULL), 0);
	out_file_close(&f);
	assert_true(fcntl(1, F_GETFD) >= 0);
	assert_false(ferror(stdout));
}

static void test_cloexec(void **state)
{
	(void)state;
	for (int in_place = 0; in_place < 2; in_place++) {
		struct out_file f;

		assert_int_equal(out_file_open(&f, path_of("out"), in_place, NULL), 0);
		assert_true(fcntl(fileno(f.stream), F_GETFD) & FD_CLOEXEC);
		out_file_close(&f);
	}
}

static int setup(void **state)
{
	(void)state;
	umask(022);
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(folder);
}

#define TEST(name) cmocka_unit_test_teardown(name, empty_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_beside),
		TEST(test_abandoned),
		TEST(test_in_place),
		TEST(test_link),
		TEST(test_link_later),
		TEST(test_kinds),
		TEST(test_devices),
		TEST(test_fifo),
		TEST(test_full),
		TEST(test_failed_write),
		TEST(test_failed_rename),
		TEST(test_stdout),
		TEST(test_cloexec),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

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
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
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
	assert_int_equal(files(), f.is_nameless ? 1 : 2);
	assert_true(f.is_nameless == !f.temporary);
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

/* Whether files of this folder can be written without a name. */
static bool has_nameless(void)
{
	struct out_file f;
	bool is_nameless;

	assert_int_equal(out_file_open(&f, path_of("try"), false, NULL), 0);
	is_nameless = f.is_nameless;
	out_file_close(&f);
	return is_nameless;
}

static void test_killed(void **state)
{
	struct out_file f;
	int status;
	pid_t pid;

	(void)state;
	if (!has_nameless())
		skip();
	make("out", "old", 0600);
	pid = fork();
	if (!pid) {
		if (!out_file_open(&f, path_of("out"), false, NULL)) {
			fputs("new", f.stream);
			fflush(f.stream);
			raise(SIGKILL);
		}
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_holds("out", "old");
	assert_int_equal(files(), 1);
}

/* As on a file system without files that have no name. */
static void refuse_nameless(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_TMPFILE & ~O_DIRECTORY, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static int write_with_temporary(const char *path)
{
	struct out_file f;

	refuse_nameless();
	if (out_file_open(&f, path, false, NULL))
		return 1;
	if (f.is_nameless || !f.temporary || access(f.temporary, F_OK))
		return 2;
	fputs("new", f.stream);
	if (out_file_commit(&f, NULL))
		return 3;
	out_file_close(&f);
	return 0;
}

static void test_without_nameless(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	make("out", "old", 0600);
	pid = fork();
	if (!pid)
		_exit(write_with_temporary(path_of("out")));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_holds("out", "new");
	assert_int_equal(files(), 1);
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
	assert_int_equal(mode_of("fifo"), 0600);
	assert_int_equal(files(), 1);
}

#define OTHER_USER 54321

/* A file of another user can be read by that user: its mode is no protection. */
static void test_others(void **state)
{
	static const char *const names[] = { "fifo", "file" };
	int fd;

	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	make("file", "theirs", 0600);
	for (unsigned i = 0; i < 2; i++) {
		struct sooth_error err = { 0 };
		struct out_file f;

		assert_int_equal(chown(path_of(names[i]), OTHER_USER, OTHER_USER), 0);
		/* A reader, so that nothing waits for one. */
		fd = open(path_of(names[i]), O_RDONLY | O_NONBLOCK);
		assert_int_equal(out_file_open(&f, path_of(names[i]), true, &err), -EPERM);
		assert_null(f.stream);
		assert_non_null(strstr(err.why, "another user (uid 54321)"));
		assert_true(err.remedy[0] != '\0');
		assert_int_equal(err.fault, SOOTH_FAULT_IO);
		close(fd);
	}
	assert_holds("file", "theirs");
}

/* By its other name a file changes that the caller has not named. */
static void test_second_name(void **state)
{
	struct sooth_error err = { 0 };
	char first[512];
	struct out_file f;

	(void)state;
	make("first", "precious", 0600);
	strcpy(first, path_of("first"));
	assert_int_equal(link(first, path_of("second")), 0);
	assert_int_equal(out_file_open(&f, path_of("second"), true, &err), -EMLINK);
	assert_non_null(strstr(err.why, "hard link"));
	assert_int_equal(out_file_open(&f, path_of("second"), false, &err), 0);
	assert_int_equal(out_file_commit(&f, NULL), 0);
	out_file_close(&f);
	assert_holds("first", "precious");
}

static int write_to(const char *path)
{
	struct out_file f;
	int status = out_file_open(&f, path, false, NULL);

	out_file_close(&f);
	return status ? 1 : 0;
}

/* sudo leaves the terminal to its user, and that one is where the output belongs. */
static void test_terminals(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave, status;
	struct sooth_error err = { 0 };
	struct out_file f;
	char name[64];
	pid_t pid;

	(void)state;
	if (geteuid() || master < 0)
		skip();
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	assert_int_equal(ptsname_r(master, name, sizeof(name)), 0);
	assert_int_equal(write_to(name), 0);
	assert_int_equal(chown(name, OTHER_USER, 5), 0);
	assert_int_equal(out_file_open(&f, name, false, &err), -EPERM);
	assert_non_null(strstr(err.why, "device belongs to another user"));
	slave = open(name, O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	pid = fork();
	if (!pid)
		_exit(dup2(slave, STDIN_FILENO) < 0 ? 2 : write_to(name));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(slave);
	close(master);
}

static void test_inherited(void **state)
{
	char name[32], held[8] = "";
	struct out_file f;
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	snprintf(name, sizeof(name), "/dev/fd/%d", pipes[1]);
	assert_int_equal(out_file_open(&f, name, false, NULL), 0);
	fputs("hello", f.stream);
	assert_int_equal(out_file_commit(&f, NULL), 0);
	out_file_close(&f);
	assert_int_equal(read(pipes[0], held, sizeof(held)), 5);
	assert_string_equal(held, "hello");
	assert_int_equal(write_to("/dev/stdout"), 0);
	assert_int_equal(write_to("/dev/stderr"), 0);
	assert_true(fcntl(STDOUT_FILENO, F_GETFD) >= 0);
	/* Not what sooth has opened itself, nor what can only be read. */
	fcntl(pipes[1], F_SETFD, FD_CLOEXEC);
	assert_int_equal(out_file_open(&f, name, false, NULL), -ELOOP);
	snprintf(name, sizeof(name), "/dev/fd/%d", pipes[0]);
	assert_int_equal(out_file_open(&f, name, false, NULL), -ELOOP);
	close(pipes[0]);
	close(pipes[1]);
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
	assert_int_equal(out_file_commit(&f, &err), -ENOSPC);
	assert_null(f.temporary);
	out_file_close(&f);
	assert_holds("out", "old");
	assert_int_equal(files(), 1);
}

/* The C library writes a large text at once and keeps nothing of it that could fail again. */
static void test_reader_gone(void **state)
{
	static const char text[1 << 16] = "x";
	struct out_file f = { 0 };
	int pipes[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(pipes), 0);
	close(pipes[0]);
	f.stream = fdopen(pipes[1], "w");
	assert_int_not_equal(fwrite(text, 1, sizeof(text), f.stream), sizeof(text));
	errno = 0;
	assert_int_equal(out_file_commit(&f, NULL), -EPIPE);
	fclose(f.stream);
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
		TEST(test_killed),
		TEST(test_without_nameless),
		TEST(test_in_place),
		TEST(test_link),
		TEST(test_link_later),
		TEST(test_kinds),
		TEST(test_devices),
		TEST(test_fifo),
		TEST(test_others),
		TEST(test_second_name),
		TEST(test_terminals),
		TEST(test_inherited),
		TEST(test_full),
		TEST(test_failed_write),
		TEST(test_reader_gone),
		TEST(test_failed_rename),
		TEST(test_stdout),
		TEST(test_cloexec),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

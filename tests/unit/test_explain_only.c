/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program of root can still do after it has given up what explaining a capture does not
 * need. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"

struct folders {
	char kept[32], other[32];
};

static int writes_in(const char *folder)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/file", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return unlink(path) ? -errno : 0;
}

/* A call that must be refused: its number and arguments. */
struct refused {
	const char *name;
	long number, arguments[4];
};

static bool is_allowed(const struct refused *r)
{
	const long *a = r->arguments;

	errno = 0;
	return syscall(r->number, a[0], a[1], a[2], a[3]) >= 0 || errno != EPERM;
}

/* Returns 0, or the number of the first check that failed. */
static int check_all(const struct folders *folders, pid_t other)
{
	const char *kept = folders->kept;
	const struct explain_only what = { .places = &kept, .count = 1 };
	const struct refused calls[] = {
		{ "socket", SYS_socket, { AF_UNIX, SOCK_STREAM } },
		{ "socketpair", SYS_socketpair, { AF_UNIX, SOCK_DGRAM } },
		{ "ptrace", SYS_ptrace, { PTRACE_SEIZE, other } },
		{ "unshare", SYS_unshare, { 0 } },
		{ "clone", SYS_clone, { CLONE_NEWUSER | SIGCHLD } },
		{ "bpf", SYS_bpf, { 0 } },
		{ "chmod", SYS_fchmodat, { AT_FDCWD, (long)kept, 0755 } },
		{ "chown", SYS_fchownat, { AT_FDCWD, (long)kept, 1, 1 } },
		{ "set-user-ID", SYS_openat,
			{ AT_FDCWD, (long)kept, O_TMPFILE | O_WRONLY, S_ISUID | 0777 } },
		{ "open_by_handle_at", SYS_open_by_handle_at, { -1 } },
		{ "open_tree", SYS_open_tree, { AT_FDCWD, (long)kept, 1 } },
		{ "TIOCSTI", SYS_ioctl, { 0, TIOCSTI } },
		{ "prlimit", SYS_prlimit64, { other, RLIMIT_CPU } },
		{ "shmget", SYS_shmget, { IPC_PRIVATE, 4096, 0600 } },
		{ "kill", SYS_kill, { other, 0 } },
	};

	os_native.explain_only(&os_native, &what);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (is_allowed(&calls[i])) {
			print_error("%s is allowed\n", calls[i].name);
			return 1;
		}
	}
	if (writes_in(folders->kept))
		return 2;
	if (writes_in(folders->other) != -EACCES)
		return 3;
	if (open("/proc/self/status", O_RDONLY | O_CLOEXEC) < 0)
		return 4;
	return 0;
}

static void test_what_remains(void **state)
{
	struct folders folders = { "/tmp/sooth-kept-XXXXXX", "/tmp/sooth-other-XXXXXX" };
	pid_t other, child;
	int status = 0;

	(void)state;
	if (geteuid() || !os_native.explain_only)
		skip();
	assert_non_null(mkdtemp(folders.kept));
	assert_non_null(mkdtemp(folders.other));
	other = fork();
	if (!other) {
		pause();
		_exit(0);
	}
	child = fork();
	if (!child)
		_exit(check_all(&folders, other));
	assert_int_equal(waitpid(child, &status, 0), child);
	kill(other, SIGKILL);
	assert_int_equal(waitpid(other, NULL, 0), other);
	assert_int_equal(writes_in(folders.other), 0);
	rmdir(folders.kept);
	rmdir(folders.other);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_remains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

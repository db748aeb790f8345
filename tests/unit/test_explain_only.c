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
#include <sys/ptrace.h>
#include <sys/socket.h>
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

/* Returns 0, or the number of the first check that failed. */
static int check_all(const struct folders *folders, pid_t other)
{
	const char *kept = folders->kept;

	os_native.explain_only(&os_native, &kept, 1);
	if (writes_in(folders->kept))
		return 1;
	if (writes_in(folders->other) != -EACCES)
		return 2;
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 3;
	if (ptrace(PTRACE_SEIZE, other, NULL, NULL) != -1 || errno != EPERM)
		return 4;
	if (!syscall(SYS_unshare, 0) || errno != EPERM)
		return 5;
	if (syscall(SYS_bpf, 0, NULL, 0) != -1 || errno != EPERM)
		return 6;
	if (open("/proc/self/status", O_RDONLY | O_CLOEXEC) < 0)
		return 7;
	if (!sethostname("name", 4) || errno != EPERM)
		return 8;
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

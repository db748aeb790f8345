/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls sysctl(3) and ktrace(2). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/param.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/ktrace.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include "os/freebsd/freebsd_source.h"

static int native_sysctl(
	const struct freebsd_calls *c, const int *name, unsigned names, void *out, size_t *size)
{
	(void)c;
	return sysctl(name, names, out, size, NULL, 0) ? -errno : 0;
}

static int native_sysctl_by_name(
	const struct bsd_sysctl *by_name, const char *name, void *out, size_t *size)
{
	(void)by_name;
	return sysctlbyname(name, out, size, NULL, 0) ? -errno : 0;
}

static int native_name_of(
	const struct freebsd_calls *c, const char *text, int *name, unsigned *names)
{
	size_t count = *names;

	(void)c;
	if (sysctlnametomib(text, name, &count))
		return -errno;
	*names = (unsigned)count;
	return 0;
}

static int native_ktrace(
	const struct freebsd_calls *c, const char *path, int operation, int points, pid_t pid)
{
	(void)c;
	return ktrace(path, operation, points, pid) ? -errno : 0;
}

/* Runs the guard, with calls that are safe after the fork of a program with threads. */
static __attribute__((noreturn)) void run_guard(const char *path, int parent)
{
	char byte;

	for (int fd = 0; fd < parent; fd++)
		close(fd);
	closefrom(parent + 1);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	while (read(parent, &byte, 1) < 0 && errno == EINTR)
		;
	ktrace(path, KTROP_CLEARFILE, 0, 0);
	unlink(path);
	_exit(0);
}

/* Starts the guard as a child of init in its own session, so that no terminal ends it. */
static int native_guard(const struct freebsd_calls *c, const char *path)
{
	int ends[2];
	pid_t pid;

	(void)c;
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = rfork(RFPROC | RFFDG | RFNOWAIT);
	if (!pid) {
		setsid();
		close(ends[1]);
		run_guard(path, ends[0]);
	}
	close(ends[0]);
	if (pid < 0) {
		close(ends[1]);
		return -EAGAIN;
	}
	return ends[1];
}

const struct freebsd_calls freebsd_native_calls = {
	.ktrace = native_ktrace,
	.guard = native_guard,
	.sysctl = native_sysctl,
	.by_name = { .read = native_sysctl_by_name },
	.name_of = native_name_of,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls libproc and sysctl(3). */
#include <errno.h>
#include <libproc.h>
#include <mach/mach_time.h>
#include <sys/resource.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include "os/darwin/darwin_source.h"

/* Returns a size, or a negative errno: libproc reports a failure by 0 and errno. */
static int size_or_error(int size)
{
	return size > 0 ? size : errno ? -errno : 0;
}

static int native_list_pids(const struct darwin_calls *c, void *out, size_t size)
{
	(void)c;
	errno = 0;
	return size_or_error(proc_listpids(PROC_ALL_PIDS, 0, out, (int)size));
}

static int native_pid_info(const struct darwin_calls *c, pid_t pid, int flavor, uint64_t argument,
	void *out, size_t size)
{
	(void)c;
	errno = 0;
	return size_or_error(proc_pidinfo(pid, flavor, argument, out, (int)size));
}

static int native_fd_info(
	const struct darwin_calls *c, pid_t pid, int fd, int flavor, void *out, size_t size)
{
	(void)c;
	errno = 0;
	return size_or_error(proc_pidfdinfo(pid, fd, flavor, out, (int)size));
}

static int native_pid_path(const struct darwin_calls *c, pid_t pid, void *out, size_t size)
{
	(void)c;
	errno = 0;
	return size_or_error(proc_pidpath(pid, out, (uint32_t)size));
}

static int native_pid_rusage(const struct darwin_calls *c, pid_t pid, void *out, size_t size)
{
	struct rusage_info_v2 *info = out;

	(void)c;
	if (size < sizeof(*info))
		return -EINVAL;
	return proc_pid_rusage(pid, RUSAGE_INFO_V2, (rusage_info_t *)info) ? -errno
									   : (int)sizeof(*info);
}

static int native_sysctl(
	const struct darwin_calls *c, const int *name, unsigned names, void *out, size_t *size)
{
	(void)c;
	return sysctl((int *)(uintptr_t)name, names, out, size, NULL, 0) ? -errno : 0;
}

static int native_sysctl_by_name(
	const struct bsd_sysctl *by_name, const char *name, void *out, size_t *size)
{
	(void)by_name;
	return sysctlbyname(name, out, size, NULL, 0) ? -errno : 0;
}

static pid_t native_session(const struct darwin_calls *c, pid_t pid)
{
	(void)c;
	return getsid(pid);
}

static void native_timebase(
	const struct darwin_calls *c, uint32_t *numerator, uint32_t *denominator)
{
	mach_timebase_info_data_t info;

	(void)c;
	mach_timebase_info(&info);
	*numerator = info.numer;
	*denominator = info.denom;
}

const struct darwin_calls darwin_native_calls = {
	.list_pids = native_list_pids,
	.pid_info = native_pid_info,
	.fd_info = native_fd_info,
	.pid_path = native_pid_path,
	.pid_rusage = native_pid_rusage,
	.sysctl = native_sysctl,
	.by_name = { .read = native_sysctl_by_name },
	.session = native_session,
	.timebase = native_timebase,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening files without the capabilities of sooth's own file. */
#include "os/linux/files/as_caller.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Returns AT_SECURE: whether the kernel gave this program more privileges than its caller has
 * (ld.so(8)). */
bool caller_is_elevated(void)
{
	return getauxval(AT_SECURE) && getuid() != 0;
}

/* Capabilities are those of a thread. */
int open_as_caller(int folder, const char *name, int flags)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct all[2] = { 0 }, own[2];
	int fd, error;

	if (!caller_is_elevated())
		return openat(folder, name, flags);
	if (syscall(SYS_capget, &header, all))
		return -1;
	for (unsigned i = 0; i < 2; i++) {
		own[i] = all[i];
		own[i].effective = 0;
	}
	if (syscall(SYS_capset, &header, own))
		return -1;
	fd = openat(folder, name, flags);
	error = errno;
	syscall(SYS_capset, &header, all);
	errno = error;
	return fd;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* sysctl(3) itself. */
#include <errno.h>
#include <sys/types.h>
#include <sys/sysctl.h>

#include "os/freebsd/freebsd_source.h"

static int native_sysctl(
	const struct freebsd_calls *c, const int *name, unsigned names, void *out, size_t *size)
{
	(void)c;
	return sysctl(name, names, out, size, NULL, 0) ? -errno : 0;
}

static int native_sysctl_by_name(
	const struct freebsd_calls *c, const char *name, void *out, size_t *size)
{
	(void)c;
	return sysctlbyname(name, out, size, NULL, 0) ? -errno : 0;
}

const struct freebsd_calls freebsd_native_calls = {
	.sysctl = native_sysctl,
	.sysctl_by_name = native_sysctl_by_name,
};

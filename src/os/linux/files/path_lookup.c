/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and the files they lead to. */
#include "os/linux/files/path_lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define ROOT "root" /* name of the root of a process in /proc/PID */

struct lookup {
	int process; /* descriptor that belongs to the lookup */
	struct path_aim aim;
	bool is_there;
	char path[sizeof(ROOT) + PATH_MAX];
};

static bool leads_there(int process, const char *path, const struct path_aim *aim)
{
	struct statx st;

	return !statx(process, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		       STATX_INO, &st) &&
	       st.stx_ino == aim->inode && st.stx_dev_major == aim->device_major &&
	       st.stx_dev_minor == aim->device_minor;
}

static void run_lookup_job(void *argument)
{
	struct lookup *l = argument;

	/* Links in /proc are relative to sooth's root; the root of the process may be another
	 * one. */
	l->is_there = leads_there(l->process, l->path, &l->aim) ||
		      leads_there(l->process, l->path + strlen(ROOT), &l->aim);
}

int path_leads_to(
	struct timeout *timeout, int process, struct span path, const struct path_aim *aim)
{
	struct lookup l = { .aim = *aim };
	int status;

	if (path.size > PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(l.path, ROOT, strlen(ROOT));
	memcpy(l.path + strlen(ROOT), path.data, path.size);
	status = timeout_call_file(timeout, run_lookup_job, &l, sizeof(l), process, TIMEOUT_MS);
	return status ? status : l.is_there;
}

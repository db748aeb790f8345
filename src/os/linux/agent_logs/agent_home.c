/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the folder that the environment of the process names, or that of its user. */
#include "os/linux/agent_logs/agent_home.h"

#include <errno.h>

#include "os/agent_logs/agent_environment.h"
#include "os/linux/files/user_names.h"

#define ENVIRON_MAX (8u << 20) /* the kernel's own limit is 6 MiB (fs/exec.c) */

/* Finds the home as the process sees it; its root may be a container's. */
static int home_of_user(char *home, size_t room, const struct agent_files *files,
	struct timeout *timeout, const struct process_snapshot *snapshot, struct buffer *scratch)
{
	struct span folder;
	int status = timeout_read_at(
		timeout, snapshot->process, "root" PASSWD_PATH, scratch, PASSWD_MAX, TIMEOUT_MS);

	if (status < 0)
		return status;
	if (!passwd_home(&folder, scratch->data, scratch->size, snapshot->uid) ||
		!agent_home_below(home, room, folder, files->home))
		return -ENOENT;
	return 0;
}

int agent_home_find(char *home, size_t room, const struct agent_files *files,
	struct timeout *timeout, const struct process_snapshot *snapshot, struct buffer *scratch)
{
	int status = timeout_read_at(
		timeout, snapshot->process, "environ", scratch, ENVIRON_MAX, TIMEOUT_MS);

	if (status >= 0 && agent_home_of(home, room, files, scratch->data, scratch->size))
		return 0;
	return home_of_user(home, room, files, timeout, snapshot, scratch);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The folder that the environment of the process names, else that of its user. */
#include "os/linux/agents/agent_home.h"

#include <errno.h>
#include <stdio.h>

#include "base/environ.h"
#include "os/linux/files/user_names.h"

#define ENVIRON_MAX (8u << 20) /* the kernel's own limit is 6 MiB (fs/exec.c) */

static bool write_home(char *home, size_t room, struct span folder, const char *below)
{
	int size;

	if (!span_starts(folder, "/") || folder.size >= room)
		return false;
	size = snprintf(home, room, "%.*s%s%s", (int)folder.size, folder.data, below ? "/" : "",
		below ? below : "");
	return size > 0 && (size_t)size < room;
}

bool agent_home_of(char *home, size_t room, const struct agent_files *files,
	const void *environment, size_t size)
{
	struct environ_walk walk = environ_over(environment, size, false);
	struct span of_user = { NULL, 0 }, of_agent = { NULL, 0 };
	struct environ_variable v;

	while (environ_next(&walk, &v)) {
		struct span value = v.name.size
					    ? span_of(v.name.data + v.name.size + 1, v.size_bytes)
					    : span_of("", 0);

		if (!of_user.data && span_equal(v.name, "HOME"))
			of_user = value;
		else if (!of_agent.data && files->home_variable &&
			 span_equal(v.name, files->home_variable))
			of_agent = value;
	}
	if (of_agent.size && write_home(home, room, of_agent, NULL))
		return true;
	return of_user.size && write_home(home, room, of_user, files->home);
}

/* As the process sees it; its root may be a container's. */
static int home_of_user(char *home, size_t room, const struct agent_files *files,
	struct timeout *timeout, const struct process_snapshot *snapshot, struct buffer *scratch)
{
	struct span folder;
	int status = timeout_read_at(
		timeout, snapshot->process, "root" PASSWD_PATH, scratch, PASSWD_MAX, TIMEOUT_MS);

	if (status < 0)
		return status;
	if (!passwd_home(&folder, scratch->data, scratch->size, snapshot->uid) ||
		!write_home(home, room, folder, files->home))
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

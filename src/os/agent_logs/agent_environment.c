/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/agent_logs/agent_environment.h"

#include <assert.h>
#include <stdio.h>

#include "base/environ.h"

bool agent_home_below(char *home, size_t room, struct span folder, const char *below)
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

	assert(files);
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
	if (of_agent.size && agent_home_below(home, room, of_agent, NULL))
		return true;
	return of_user.size && agent_home_below(home, room, of_user, files->home);
}

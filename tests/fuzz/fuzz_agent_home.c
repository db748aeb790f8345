/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Environments, lists of users and names of files, as far as they say where an agent keeps
 * its files: a home is an absolute path of bounded length, an id a plain word.
 */
#include <string.h>

#include "recognize/agent_path.h"
#include "fuzz.h"
#include "os/agent_logs/agent_environment.h"
#include "os/linux/agent_logs/agent_home.h"
#include "os/linux/files/user_names.h"

static void check_names(const char *text, size_t size)
{
	static const char *const patterns[] = { "{session}.lock", "a/{session}", "x*-*{session}y",
		"{directory}", "{pid}*" };
	const struct agent_path values = { .pid = { "42", 2 }, .directory = { "/a/b", 4 } };

	if (size > AGENT_NAME_MAX)
		return;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		struct span pattern = span_of(patterns[i], strlen(patterns[i]));
		struct span id = { "", 0 };

		agent_path_match(pattern, span_of(text, size), &values, &id);
		CHECK(!id.size || agent_word_is_plain(id, AGENT_ID_MAX));
		id.size = 0;
		agent_path_ends(pattern, span_of(text, size), &values, &id);
		CHECK(!id.size || (id.data >= text && id.data + id.size <= text + size));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct agent_files files = { .home = ".a", .home_variable = "A_HOME" };
	struct span folder;
	char home[64];

	if (agent_home_of(home, sizeof(home), &files, data, size))
		CHECK(home[0] == '/' && strnlen(home, sizeof(home)) < sizeof(home));
	if (passwd_home(&folder, data, size, 1000)) {
		CHECK(folder.size && folder.data[0] == '/');
		CHECK(!memchr(folder.data, 0, folder.size));
		CHECK((const uint8_t *)folder.data + folder.size <= data + size);
	}
	check_names((const char *)data, size);
	return 0;
}

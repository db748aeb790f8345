/* SPDX-License-Identifier: BSD-2-Clause */
/* claude-status: the status report for Claude Code only. The tool takes the few options of the old
 * tool and runs the command. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/command/command.h"
#include "cli/command/compat.h"

static void print_help(const char *name)
{
	printf("%s - Claude Code on this host: processes, connections, tracers (sooth)\n\nUsage: "
	       "%s [-j]\n\n  -j, --json                   one JSON object\n  -h, --help            "
	       "       this help\n  -V, --version                the version\n\n`sooth status` "
	       "shows the same for every agent.\n",
		name, name);
}

static int refuse_word(const char *name, const char *word, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand \"%s\"", word);
	error_why(err, "%s takes only -j, -h and -V", name);
	return error_remedy(err, "use `sooth status`, which takes more options, and a capture");
}

static int run_claude_status(const char *name, int argc, char **argv, struct sooth_error *err)
{
	static char command[] = "status", option[] = "--agent", agent[] = "claude", json[] = "-j";
	char *words[] = { command, option, agent, json, NULL };
	bool is_json = false;

	for (int i = 1; i < argc; i++) {
		if (compat_answer(compat_requested_by(argv[i]), name, print_help))
			return 0;
		if (strcmp(argv[i], "-j") && strcmp(argv[i], "--json"))
			return refuse_word(name, argv[i], err);
		is_json = true;
	}
	if (!is_json)
		words[3] = NULL;
	return command_main(command_find(command), is_json ? 4 : 3, words);
}

const struct compat compat_claude_status = { run_claude_status };

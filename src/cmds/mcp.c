/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth mcp: answers a coding agent's questions about processes by the Model Context Protocol. */
#include <errno.h>
#include <unistd.h>

#include "cli/command/command.h"
#include "cli/mcp/server.h"

struct mcp_config {
	char none;
};

static int run_mcp(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	(void)config;
	if (arguments->count || arguments->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "serve %s",
			arguments->count ? arguments->items[0] : "a command");
		error_why(err, "the agent that starts the server names the processes, by messages");
		return error_remedy(err, "sooth mcp");
	}
	return mcp_serve(STDIN_FILENO, STDOUT_FILENO, err);
}

const struct command command_mcp = {
	.name = "mcp",
	.summary = "answer a coding agent's questions about processes (MCP)",
	.usage = "",
	.about = "A server of the Model Context Protocol on standard input and output: a coding\n"
		 "agent starts it, to ask which sessions run, what a process waits for and what\n"
		 "is wrong with it. It only reads: it starts and ends no process of others.",
	.examples = "  claude mcp add sooth -- sooth mcp     for Claude Code\n"
		    "  codex mcp add sooth -- sooth mcp      for Codex\n",
	.parses_nothing = true,
	.config_size = sizeof(struct mcp_config),
	.run = run_mcp,
};

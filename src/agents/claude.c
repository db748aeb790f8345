/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Claude Code: a program made by Bun, installed below .local/share/claude/versions/VERSION
 * or by npm as .../@anthropic-ai/claude-code/bin/claude.exe; until 2.1.112 a script of that
 * package, run by node, which may write "claude" over its command line.
 * Not it: what else lies in the package (ripgrep), tools such as claude-trace or
 * claude-monitor, whatever only mentions claude in its arguments or directory.
 */
#include "core/agent.h"

const struct agent agent_claude = {
	.name = "claude",
	.title = "Claude Code",
	.tried = "2.1.328, 2.1.112, 1.0.128",
	.versions = ".local/share/claude/versions",
	.rules = {
		{ .kind = AGENT_RULE_BELOW,
			.what = ".local/share/claude",
			.why = "the executable lies below .local/share/claude" },
		{ .kind = AGENT_RULE_BELOW,
			.what = "node_modules/@anthropic-ai/claude-code",
			.called = "claude.exe",
			.why = "the executable is claude.exe of the package "
			       "@anthropic-ai/claude-code" },
		{ .kind = AGENT_RULE_PACKAGE,
			.what = "@anthropic-ai/claude-code",
			.why = "node runs a script of the package @anthropic-ai/claude-code" },
		{ .kind = AGENT_RULE_PROGRAM,
			.program = { .section = ".bun",
				.holds = "PACKAGE_URL:\"@anthropic-ai/claude-code\"",
				.version_behind = "VERSION:\"" },
			.why = "the script that Bun built into the executable says it is "
			       "@anthropic-ai/claude-code" },
		{ .kind = AGENT_RULE_NAME,
			.what = "claude",
			.why = "the executable is called claude" },
		{ .kind = AGENT_RULE_NAME,
			.what = "claude.exe",
			.why = "the executable is called claude.exe" },
		{ .kind = AGENT_RULE_SOMEWHERE,
			.what = "anthropic",
			.why = "the executable lies below a directory anthropic" },
		{ .kind = AGENT_RULE_TITLE,
			.what = "claude",
			.why = "node has written the title \"claude\" over its arguments" },
		{ .kind = AGENT_RULE_COMMAND,
			.what = "claude",
			.why = "the command and the process are both called claude" },
	},
};

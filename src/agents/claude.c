/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Claude Code. A first recogniser by names and paths:
 *   - the native program, installed below .local/share/claude/versions/VERSION
 *     or by npm as .../@anthropic-ai/claude-code/bin/claude.exe,
 *   - the Node package, whose script is named in the arguments, or which writes
 *     "claude" over its command line (2.1.112; its executable is then node),
 *   - any program whose file is called claude or lies below .../anthropic/.
 * Not an agent: an editor, grep or script that mentions claude in its arguments
 * or directory, and tools such as claude-trace or claude-monitor.
 */
#include <string.h>

#include "core/agent.h"

#define VERSIONS_DIR "/.local/share/claude/versions/"
#define SHARE_DIR    "/.local/share/claude/"
#define PACKAGE_DIR  "/@anthropic-ai/claude-code/"

static struct span base_name(struct span path)
{
	const char *slash = path.size ? memrchr(path.data, '/', path.size) : NULL;

	return slash ? span_of(slash + 1, path.size - (size_t)(slash + 1 - path.data)) : path;
}

static struct span argument(struct span arguments, unsigned index)
{
	struct cursor c = cursor_over(arguments.data, arguments.size);

	while (!cursor_at_end(&c)) {
		struct span word = cursor_until(&c, '\0');

		if (!index--)
			return word;
	}
	return span_of("", 0);
}

static bool is_named_claude(struct span name)
{
	return span_equal(name, "claude") || span_equal(name, "claude.exe");
}

static bool is_node(struct span executable)
{
	struct span name = base_name(executable);

	return span_equal(name, "node") || span_equal(name, "nodejs") || span_equal(name, "bun");
}

/* VERSION in ".../versions/VERSION[/...]". */
static struct span version_in_path(struct span path)
{
	const char *at =
		path.size ? memmem(path.data, path.size, VERSIONS_DIR, strlen(VERSIONS_DIR)) : NULL;
	struct cursor c;

	if (!at)
		return span_of("", 0);
	at += strlen(VERSIONS_DIR);
	c = cursor_over(at, path.size - (size_t)(at - path.data));
	return cursor_until(&c, '/');
}

/* "claude" and blanks, and nothing else: written over the arguments by the program itself. */
static bool is_title(struct span arguments)
{
	size_t at = strlen("claude");

	if (!span_starts(arguments, "claude"))
		return false;
	while (at < arguments.size && (arguments.data[at] == ' ' || arguments.data[at] == '\0'))
		at++;
	return at == arguments.size;
}

static bool matches_node(const struct agent_evidence *e, struct agent_match *match)
{
	struct span script = argument(e->arguments, 1);

	if (!is_node(e->executable))
		return false;
	if (span_contains(script, PACKAGE_DIR)) {
		match->rule = "node runs a script of the package @anthropic-ai/claude-code";
		return true;
	}
	if (is_named_claude(base_name(script)) && span_contains(script, "/")) {
		match->rule = "node runs a script called claude";
		return true;
	}
	if (is_title(e->arguments)) {
		match->rule = "node has written the title \"claude\" over its arguments";
		return true;
	}
	return false;
}

static bool matches_claude(const struct agent_evidence *e, struct agent_match *match)
{
	match->version = version_in_path(e->executable);
	if (span_contains(e->executable, SHARE_DIR)) {
		match->rule = "the executable lies below .local/share/claude";
		return true;
	}
	if (span_contains(e->executable, PACKAGE_DIR)) {
		match->rule = "the executable belongs to the package @anthropic-ai/claude-code";
		return true;
	}
	if (span_contains(e->executable, "/anthropic/")) {
		match->rule = "the executable lies below a directory anthropic";
		return true;
	}
	if (is_named_claude(base_name(e->executable))) {
		match->rule = "the executable is called claude";
		return true;
	}
	/* Through a link, or another user's: the command and the process's name must agree. A
	 * script is named by its interpreter, so a wrapper called claude does not. */
	if (is_named_claude(base_name(argument(e->arguments, 0))) && is_named_claude(e->name)) {
		match->rule = "the command and the process are both called claude";
		return true;
	}
	return matches_node(e, match);
}

const struct agent agent_claude = {
	.name = "claude",
	.title = "Claude Code",
	.match = matches_claude,
};

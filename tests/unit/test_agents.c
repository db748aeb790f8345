/* SPDX-License-Identifier: BSD-2-Clause */
/* The result of the rules for evidence: which agent, or none. */
#include "support.h"

#include "recognize/agent.h"
#include "recognize/agent_set.h"
#include "recognize/script.h"

#define NODE	       "/usr/bin/node"
#define CLAUDE_MARKS   ".bun PACKAGE_URL:\"@anthropic-ai/claude-code\""
#define OPENCODE_MARKS ".bun --user-agent=opencode/"
#define CODEX_MARKS    ".gnu_debuglink codex_cli_rs"
#define IS(agent_, version_, executable_, name_, arguments_, ...)                                  \
	{                                                                                          \
		.agent = agent_, .version = version_, .executable = executable_, .name = name_,    \
		.arguments = arguments_, .arguments_size = sizeof(arguments_), __VA_ARGS__         \
	}
#define NOBODY(...)	      IS(NULL, NULL, __VA_ARGS__)
#define MARKS(text)	      .marks = text, .marks_size = sizeof(text)
#define ROLE(role_)	      .role = AGENT_ROLE_##role_
#define CLAUDE_EXE	      "/r/node_modules/@anthropic-ai/claude-code/bin/claude.exe"
#define PACKAGE(name, number) .package = name, .package_version = number

static const struct {
	const char *agent, *version;
	const char *executable, *name;
	const char *arguments;
	size_t arguments_size;
	const char *marks;
	size_t marks_size;
	const char *mark_version, *package, *package_version;
	enum agent_role role; /* if it is not MAIN */
} cases[] = {
	/* Claude Code */
	IS("claude", "2.1.50", "/home/me/.local/share/claude/versions/2.1.50", "2.1.50", "claude"),
	IS("claude", "9.9.9-rc.1", "/home/me/.local/share/claude/versions/9.9.9-rc.1", "claude",
		"x"),
	IS("claude", "", "/opt/lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe", "claude",
		"claude\0-p"),
	IS("claude", "2.1.328", "/opt/lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe",
		"claude", "claude\0-p", PACKAGE("@anthropic-ai/claude-code", "2.1.328")),
	IS("claude", "2.9.1", "/tmp/x/tool", "tool", "./tool", MARKS(CLAUDE_MARKS),
		.mark_version = "2.9.1"),
	IS("claude", "", "/usr/local/bin/claude", "claude", "claude"),
	IS("claude", "", "/opt/anthropic/bin/thing", "thing", "thing"),
	IS("claude", "", NODE, "claude", "claude\0\0\0\0\0\0"),
	IS("claude", "", NODE, "MainThread", "claude "),
	IS("claude", "", "", "claude", "/usr/bin/claude\0-c"),
	IS("claude", "", NODE, "node",
		"node\0/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js\0-p"),
	IS("claude", "1.0.128", NODE, "node", "node\0--no-warnings\0/usr/bin/claude",
		PACKAGE("@anthropic-ai/claude-code", "1.0.128")),
	/* Codex */
	IS("codex", "", NODE, "node", "node\0/r/node_modules/@openai/codex/bin/codex.js\0exec"),
	IS("codex", "", "/tmp/other", "other", "other", MARKS(CODEX_MARKS)),
	/* opencode */
	IS("opencode", "1.18.33", "/r/node_modules/opencode-ai/bin/opencode.exe", "opencode",
		"opencode", PACKAGE("opencode-ai", "1.18.33")),
	IS("opencode", "3.0.0", "/tmp/claude/y", "y", "y", MARKS(OPENCODE_MARKS),
		.mark_version = "3.0.0"),
	/* Gemini and its forks */
	IS("gemini", "", NODE, "node",
		"/usr/bin/node\0--max-old-space-size=4096\0/r/node_modules/@google/gemini-cli/"
		"bundle/gemini.js"),
	IS("gemini", "0.61.0", NODE, "node", "node\0/r/node_modules/.bin/gemini\0-p",
		PACKAGE("@google/gemini-cli", "0.61.0")),
	IS("qwen", "", NODE, "node",
		"node\0--require\0./x.js\0/r/node_modules/@qwen-code/qwen-code/dist/"
		"index.js"),
	IS("amp", "", "/usr/bin/bun", "bun", "bun\0run\0/r/node_modules/@sourcegraph/amp/main.js"),
	IS("copilot", "", NODE, "MainThread", "node\0/r/node_modules/@github/copilot/index.js",
		ROLE(LAUNCHER)),
	/* pi: before and after it writes its title, with the name of its main thread */
	IS("pi", "0.73.1", NODE, "MainThread", "node\0/r/node_modules/.bin/pi\0-p\0hi",
		PACKAGE("@mariozechner/pi-coding-agent", "0.73.1")),
	IS("pi", "", NODE, "pi", "pi\0\0\0\0\0\0\0\0\0"),
	/* Cline, in its three forms, and its hub */
	IS("cline", "3.0.65", "/r/node_modules/cline/bin/.cline", ".cline",
		"/r/node_modules/cline/bin/.cline\0hi", PACKAGE("cline", "3.0.65")),
	IS("cline", "3.0.65", "/r/node_modules/@cline/cli-linux-x64/bin/cline", "cline",
		"/r/node_modules/.bin/cline\0hi", PACKAGE("@cline/cli-linux-x64", "3.0.65")),
	IS("cline", "", NODE, "MainThread", "node\0/r/node_modules/cline/bin/cline\0hi",
		ROLE(LAUNCHER)),
	IS("cline", "", "/r/node_modules/cline/bin/.cline", ".cline",
		"/r/node_modules/cline/bin/.cline\0--cline-hub-daemon\0--cwd\0/w", ROLE(DAEMON)),
	IS("cline", "", "/tmp/x", "x", "x", MARKS(".bun (\"cline-cli\")")),
	/* one process each */
	IS("auggie", "0.36.0", NODE, "MainThread", "node\0/r/node_modules/.bin/auggie\0-p\0hi",
		PACKAGE("@augmentcode/auggie", "0.36.0")),
	IS("continue", "1.5.47", NODE, "MainThread", "node\0/r/node_modules/.bin/cn",
		PACKAGE("@continuedev/cli", "1.5.47")),
	IS("letta", "", NODE, "node", "node\0/r/node_modules/@letta-ai/letta-code/letta.js"),
	IS("grok", "", NODE, "node", "node\0/r/node_modules/@vibe-kit/grok-cli/dist/index.js"),
	IS("grok", "0.0.34", "/usr/bin/bun", "bun", "bun\0/r/node_modules/.bin/grok\0-p\0hi",
		PACKAGE("@vibe-kit/grok-cli", "0.0.34")),
	/* Kilo Code, a fork of opencode */
	IS("kilo", "7.7.7", "/r/node_modules/@kilocode/cli-linux-x64/bin/kilo", "kilo",
		"/r/node_modules/@kilocode/cli-linux-x64/bin/kilo\0run\0hi",
		PACKAGE("@kilocode/cli-linux-x64", "7.7.7")),
	IS("kilo", "", "/r/node_modules/@kilocode/cli/bin/.kilo", ".kilo", "kilo"),
	IS("kilo", "", NODE, "MainThread", "node\0/r/node_modules/@kilocode/cli/bin/kilo\0run",
		ROLE(LAUNCHER)),
	IS("kilo", "7.7.7", "/tmp/x", "x", "x", MARKS(".bun --user-agent=kilo/"),
		.mark_version = "7.7.7"),
	/* Droid, whose terminal has a second process */
	IS("droid", "0.215.0", "/r/node_modules/droid/bin/droid", "droid", "droid\0exec\0hi",
		PACKAGE("droid", "0.215.0")),
	IS("droid", "", "/r/node_modules/@factory/cli-linux-x64/bin/droid", "droid",
		"droid\0exec\0--input-format\0stream-jsonrpc\0--output-format\0stream-jsonrpc",
		ROLE(DAEMON)),
	IS("droid", "", NODE, "MainThread", "node\0/r/node_modules/droid/bin/droid\0exec",
		ROLE(LAUNCHER)),
	IS("droid", "0.215.0", "/h/.local/bin/droid", "droid", "droid",
		MARKS(".bun {name:\"@factory/cli\",version:\""), .mark_version = "0.215.0"),
	/* OpenClaw: titles, and workers that a gateway starts */
	IS("openclaw", "", NODE, "openclaw-gatewa", "openclaw-gateway\0\0\0", ROLE(DAEMON)),
	IS("openclaw", "", NODE, "openclaw-agent", "openclaw-agent\0\0\0"),
	IS("openclaw", "2026.9.6", NODE, "node", "node\0/r/node_modules/.bin/openclaw\0agent",
		PACKAGE("openclaw", "2026.9.6")),
	IS("openclaw", "", NODE, "node",
		"node\0/r/node_modules/openclaw/dist/process/spawn-broker/worker.js", ROLE(DAEMON)),
	IS("openclaw", "", NODE, "MainThread",
		"node\0/r/node_modules/openclaw/dist/process/supervisor/service-child-relay.js",
		ROLE(DAEMON)),
	IS("openclaw", "", NODE, "node",
		"node\0/r/node_modules/openclaw/dist/infra/sqlite-readonly-location.worker.js"
		"\0--openclaw-sqlite-readonly-child\0session",
		ROLE(HELPER)),
	/* Crush, from its source */
	IS("crush", "", "/r/node_modules/@charmland/crush/bin/crush", "crush", "crush\0run\0hi"),
	IS("crush", "", "/usr/bin/crush", "crush", "crush",
		MARKS(".gopclntab github.com/charmbracelet/crush/internal/cmd")),
	IS("crush", "", NODE, "node", "node\0/r/node_modules/@charmland/crush/run-crush.js",
		ROLE(LAUNCHER)),
	/* Amp and Copilot, now programs of their own */
	IS("amp", "0.0.1790142911-g7618fb", "/r/node_modules/@ampcode/cli/bin/amp.exe", "amp",
		"/r/node_modules/.bin/amp", PACKAGE("@ampcode/cli", "0.0.1790142911-g7618fb")),
	IS("copilot", "1.0.102", "/r/node_modules/@github/copilot-linux-x64/copilot", "MainThread",
		"/r/node_modules/@github/copilot-linux-x64/copilot\0-p\0hi",
		PACKAGE("@github/copilot-linux-x64", "1.0.102")),
	/* The processes of Claude Code's background sessions */
	IS("claude", "", CLAUDE_EXE, "claude.exe", "claude\0daemon\0run\0--origin\0transient",
		ROLE(DAEMON)),
	IS("claude", "", CLAUDE_EXE, "claude.exe",
		"claude bg-pty-host\0--bg-pty-host\0/t/x.sock\0200\00050\0--\0" CLAUDE_EXE
		"\0--session-id\0b6f2",
		ROLE(HELPER)),
	IS("claude", "", CLAUDE_EXE, "claude.exe", "claude bg-spare\0--bg-spare\0/t/x.claim.sock",
		ROLE(SPARE)),
	IS("claude", "", CLAUDE_EXE, "claude", "claude\0attach\0002da0f287", ROLE(HELPER)),
	IS("claude", "", CLAUDE_EXE, "claude", "claude\0agents", ROLE(HELPER)),
	IS("claude", "", CLAUDE_EXE, "claude", "claude\0-p\0daemon run"),
	IS("claude", "", CLAUDE_EXE, "claude", "claude\0-p\0agents"),
	IS("claude", "", NODE, "node",
		"node\0--no-warnings\0/r/node_modules/@anthropic-ai/claude-code/"
		"cli.js\0daemon\0run",
		ROLE(DAEMON)),
	/* others */
	IS("cursor", "2026.01.02-abc", "/h/.local/share/cursor-agent/versions/2026.01.02-abc/node",
		"node",
		"cursor-agent\0/h/.local/share/cursor-agent/versions/2026.01.02-abc/"
		"index.js"),
	IS("aider", "", "/usr/bin/python3.11", "aider", "/v/bin/python\0/v/bin/aider\0x.py"),
	IS("aider", "", "/usr/bin/python3.11", "python3", "python3\0-Im\0aider"),
	IS("aider", "", "/usr/bin/python3", "python3",
		"python3\0-X\0dev\0/v/lib/python3.11/site-packages/aider/__main__.py"),
	IS("goose", "", "/h/.local/bin/goose", "goose", "goose", MARKS(".rodata GOOSE_PROVIDER")),
	/* of another user */
	IS("gemini", "", "", "node", "node\0/r/node_modules/@google/gemini-cli/bundle/gemini.js"),
	IS("claude", "", "", "claude", "claude\0\0\0\0"),
	IS("codex", "", "", "codex",
		"/r/node_modules/@openai/codex-linux-x64/vendor/x/bin/codex\0exec"),
	IS("codex", "", "", "codex",
		"/h/.codex/packages/app-server-daemon/releases/0.169.0/bin/codex\0app-server"),
	IS("opencode", "", "", "opencode", "/r/node_modules/.bin/opencode\0run\0hi"),
	IS("opencode", "", "", "opencode", "opencode"),
	IS("opencode", "", "", "opencode.exe", "/r/node_modules/opencode-ai/bin/opencode.exe"),
	/* Look-alikes */
	NOBODY(NODE, "npm exec pi -p", "npm exec pi -p hi\0\0\0"),
	NOBODY("/bin/sh", "sh", "sh\0-c\0'pi' -p hi"),
	NOBODY("/usr/bin/pi", "pi", "pi"),
	NOBODY("/bin/sleep", "sleep", "pi\00060"),
	NOBODY("/usr/bin/python3", "python3", "python3\0-m\0pi"),
	NOBODY("/usr/bin/vim", "vim", "vim\0/r/node_modules/@mariozechner/pi-coding-agent/README"),
	NOBODY(NODE, "node", "node\0x.js", PACKAGE("@oh-my-pi/pi-coding-agent", "18.3.4")),
	NOBODY(NODE, "npm exec opencla", "npm exec openclaw\0\0"),
	NOBODY("/usr/bin/python3", "openclaw", "python3\0/v/bin/openclaw"),
	NOBODY("/bin/sleep", "sleep", "openclaw-gateway\00060"),
	NOBODY(NODE, "node", "node\0x.js\0@mariozechner/pi-coding-agent\0openclaw\0cline"),
	NOBODY(NODE, "node", "droid\0\0"),
	NOBODY("/t/bin/openclaw", "openclaw", "bin/openclaw\00060"),
	NOBODY("/t/bin/cline", "cline", "bin/cline\00060"),
	NOBODY("/t/bin/auggie", "auggie", "bin/auggie\00060"),
	NOBODY("/t/bin/kilo", "kilo", "bin/kilo\00060"),
	NOBODY("/t/bin/crush", "crush", "bin/crush\00060"),
	NOBODY("/t/bin/droid", "droid", "bin/droid\00060"),
	NOBODY("/t/bin/cn", "cn", "bin/cn\00060"),
	NOBODY("/t/bin/letta", "letta", "bin/letta\00060"),
	NOBODY("/t/bin/grok", "grok", "bin/grok\00060"),
	NOBODY("/t/bin/amp", "amp", "bin/amp\00060"),
	NOBODY("/t/bin/copilot", "copilot", "bin/copilot\00060"),
	NOBODY("/bin/sleep", "sleep", "droid\00060"),
	NOBODY("/usr/bin/sooth", "sooth", "sooth\0ps",
		MARKS(".rodata github.com/charmbracelet/crush/internal/cmd")),
	NOBODY("/usr/bin/tail", "tail", "tail\0-f\0crush.go"),
	NOBODY("/usr/bin/grep", "grep", "grep\0droid"),
	NOBODY("/usr/bin/python3", "python3",
		"python3\0-c\0pass\0/r/node_modules/@vibe-kit/grok-cli/dist/index.js"),
	NOBODY(NODE, "node", "node\0/r/node_modules/grok-cli/dist/index.js"),
	NOBODY(NODE, "node", "node\0/r/node_modules/cline-helper/cline.js"),
	NOBODY(NODE, "node", "node\0/r/node_modules/@letta-ai/letta-client/x.js"),
	NOBODY(NODE, "node", "node\0/r/node_modules/kilocode/x.js"),
	NOBODY(NODE, "node", "node\0/r/node_modules/@github/copilot-language-server/x.js"),
	NOBODY("/r/node_modules/@charmland/soft/bin/crush", "crush", "crush\00060"),
	NOBODY("/r/node_modules/@kilocode/cli-linux-x64/bin/bwrap", "bwrap", "bwrap"),
	NOBODY("/h/.vscode/extensions/saoudrizwan.claude-dev-3/x", "x", "x"),
	NOBODY("/usr/bin/vim", "vim", "vim\0/home/me/.local/share/claude/settings.json"),
	NOBODY("/usr/bin/grep", "grep", "grep\0-r\0@anthropic-ai/claude-code\0/r/node_modules"),
	NOBODY("/bin/bash", "claude", "/bin/bash\0/home/me/bin/claude"),
	NOBODY("/bin/bash", "bash", "bash\0-c\0claude -p hi; codex; opencode"),
	NOBODY("/home/me/claude/run", "run", "run"),
	NOBODY("/home/me/claude/bin/python3", "python3", "python3\0claude.py"),
	NOBODY("/usr/local/bin/claude-trace", "claude-trace", "claude-trace\0-w"),
	NOBODY("/usr/local/bin/claude-monitor", "claude-monitor", "claude-monitor"),
	NOBODY("/opt/not-anthropic/bin/x", "x", "x"),
	NOBODY("/h/.local/share/claude-trace/bin/x", "x", "x"),
	NOBODY(NODE, "node",
		"node\0/r/node_modules/@mariozechner/claude-trace/dist/cli.js\0claude"),
	NOBODY(NODE, "node", "node\0/home/me/bin/claude"),
	NOBODY(NODE, "node", "node\0-e\0/r/node_modules/@openai/codex/bin/codex.js"),
	NOBODY(NODE, "node", "node\0server.js\0/r/node_modules/@openai/codex/bin/codex.js"),
	NOBODY(NODE, "node", "node\0--require\0/r/node_modules/@openai/codex/bin/codex.js\0x.js"),
	NOBODY(NODE, "node", "node\0/r/node_modules/@anthropic-ai/claude-code/install.cjs"),
	NOBODY(NODE, "node", "node\0/r/node_modules/@google/gemini-cli/node_modules/mcp/server.js"),
	NOBODY(NODE, "node", "claude-monitor "),
	NOBODY("/usr/bin/python3", "python3", "claude "),
	NOBODY("/r/node_modules/@anthropic-ai/claude-code/vendor/ripgrep/x64-linux/rg", "rg", "rg"),
	NOBODY("/r/node_modules/@openai/codex-linux-x64/vendor/x/codex-path/rg", "rg", "rg"),
	NOBODY("/usr/bin/codex", "codex", "codex\0storage"),
	NOBODY("/tmp/other", "other", "other", MARKS(".gnu_debuglink")),
	NOBODY("/usr/bin/bun", "bun", "bun\0run\0x.js", MARKS(".bun")),
	NOBODY("/h/go/bin/goose", "goose", "goose\0up", MARKS(".rodata")),
	NOBODY("/h/.local/bin/goose", "goose", "goose\0up"),
	NOBODY("/usr/bin/python3", "python3", "python3\0/home/me/aider/run.py"),
	NOBODY("/usr/bin/python3", "python3", "python3\0-c\0import aider"),
	NOBODY("/usr/bin/python3", "python3", "python3\0-m\0aider_stats"),
	NOBODY("/h/.local/share/cursor-agent/versions/1/rg", "rg", "rg"),
	NOBODY("", "", ""),
	NOBODY("", "node", "node\0/home/me/claude/index.js"),
	NOBODY("", "node", ""),
	/* The name and the argument have to agree, and no folder stands in for another. */
	NOBODY("", "vim", "/r/node_modules/@openai/codex-linux-x64/vendor/x/bin/codex"),
	NOBODY("", "codex", "/usr/bin/codex\0storage"),
	NOBODY("", "codex", "codex\0exec"),
	NOBODY("", "codex", "/bin/bash\0/home/me/bin/codex\0/r/node_modules/@openai/codex"),
	NOBODY("", "opencode", "/bin/sh\0/home/me/bin/opencode"),
	NOBODY("", "rg", "/r/node_modules/@openai/codex-linux-x64/vendor/x/codex-path/rg"),
	NOBODY("", "", "opencode"),
};

static struct span text_span(const char *text)
{
	return span_of(text ? text : "", text ? strlen(text) : 0);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct agent_evidence e = {
			.executable = text_span(cases[i].executable),
			.name = text_span(cases[i].name),
			.arguments = span_of(cases[i].arguments, cases[i].arguments_size),
			.marks = span_of(cases[i].marks, cases[i].marks_size),
			.mark_version = text_span(cases[i].mark_version),
			.package = text_span(cases[i].package),
			.package_version = text_span(cases[i].package_version),
		};
		struct agent_match match;
		const struct agent *agent = agent_recognise(NULL, &e, &match);
		const char *name = agent ? agent->name : "none";

		if (strcmp(name, cases[i].agent ? cases[i].agent : "none"))
			fail_msg("case %zu (%s, %s): %s by \"%s\"", i, cases[i].executable,
				cases[i].arguments, name, agent ? match.rule : "");
		if (cases[i].role && match.role != cases[i].role)
			fail_msg("case %zu (%s): role %s", i, cases[i].arguments,
				agent_role_name(match.role));
		if (!cases[i].role && agent && match.role == AGENT_ROLE_SPARE)
			fail_msg("case %zu (%s): spare", i, cases[i].arguments);
		if (agent && !span_equal(match.version, cases[i].version))
			fail_msg("case %zu (%s): version \"%.*s\"", i, cases[i].executable,
				(int)match.version.size, match.version.data);
	}
}

/* No rule and no agent is a row without content. */
static void test_rows(void **state)
{
	size_t tried = 0;

	(void)state;
	for (size_t i = 0; registry_agents[i]; i++) {
		const struct agent *a = registry_agents[i];

		assert_non_null(a->title);
		assert_true(agent_rule_count(a) > 0 && agent_rule_count(a) < AGENT_RULES_MAX);
		for (size_t k = 0; k < agent_rule_count(a); k++) {
			const struct agent_rule *r = &a->rules[k];

			assert_true(r->kind == AGENT_RULE_PROGRAM
					    ? r->program.section && r->program.holds
					    : r->what && r->what[0]);
		}
		tried += a->tried != NULL;
	}
	assert_int_equal(tried, 16);
}

static void test_paths(void **state)
{
	struct span path = text_span("/a/node_modules/.pnpm/x/node_modules/@s/n/b/c.js"), rest;

	(void)state;
	assert_true(span_equal(path_package(path, &rest), "@s/n"));
	assert_true(span_equal(rest, "b/c.js"));
	assert_true(span_equal(path_package(text_span("/node_modules/n/x"), NULL), "n"));
	assert_int_equal(path_package(text_span("/node_modules/n"), NULL).size, 0);
	assert_int_equal(path_package(text_span("/node_modules/@s/n"), NULL).size, 0);
	assert_int_equal(path_package(text_span("/my_node_modules/n/x"), NULL).size, 0);
	assert_int_equal(path_below(text_span("/a/bc/d"), "b").size, 0);
	assert_int_equal(path_below(text_span("/a/b"), "b").size, 0);
	assert_true(span_equal(path_below(text_span("/a/b/c/d"), "b/c"), "d"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

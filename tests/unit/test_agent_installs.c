/* SPDX-License-Identifier: BSD-2-Clause */
/* Installed versions, below a folder that stands for "/". */
#include "support.h"

#include <sys/stat.h>
#include <unistd.h>

#include "os/linux/agent_logs/agent_installs.h"
#include "os/os.h"
#include "probes/proc.h"

static char folder[] = "/tmp/sooth-installs-XXXXXX";

static void put(const char *name, const char *text)
{
	char path[512];
	FILE *file;

	for (const char *at = name; (at = strchr(at, '/')); at++) {
		snprintf(path, sizeof(path), "%s/%.*s", folder, (int)(at - name), name);
		mkdir(path, 0700);
	}
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static char *told(const uint32_t *uids, size_t count)
{
	struct agent_installs installs = { .root = folder };
	struct backend_run run = { .os = &os_native };
	struct buffer lines = { 0 };
	struct batch batch;

	agent_installs_emit(&installs, &run, uids, count);
	agent_installs_fini(&installs);
	batch = (struct batch){ run.out.data, run.out.size };
	assert_true(batch_check(&batch) >= 0);
	batch_for_each (r, &batch) {
		const struct proc_installed *p = (const void *)r;

		assert_int_equal(r->kind, PROC_INSTALLED);
		buffer_format(&lines, "%d %.*s %.*s %.*s\n", (int)p->uid, (int)p->agent.size,
			(const char *)p + p->agent.offset, (int)p->version.size,
			(const char *)p + p->version.offset, (int)p->path.size,
			(const char *)p + p->path.offset);
	}
	buffer_fini(&run.out);
	buffer_cstr(&lines);
	return (char *)lines.data;
}

#define CLAUDE		 "node_modules/@anthropic-ai/claude-code/package.json"
#define PACKAGE(version) "{\"name\": \"x\", \"version\": \"" version "\"}"

static void fill(void)
{
	put("etc/passwd", "a:x:1000:1000::/home/a:/bin/sh\nb:x:1001:1001::/home/b:/bin/sh\n");
	put("usr/lib/" CLAUDE, PACKAGE("2.0.1"));
	put("home/a/.local/share/claude/versions/2.1.328", "");
	put("home/a/.local/share/claude/versions/2.1.9/x", "");
	put("home/a/.local/share/claude/versions/.staging", "");
	put("home/a/.local/share/claude/versions/latest", "");
	put("home/a/.codex/packages/app-server-daemon/releases/0.169.0-x86_64-unknown-linux-musl/x",
		"");
	put("home/a/.nvm/versions/node/v20.1.0/lib/" CLAUDE, PACKAGE("1.0.128"));
	put("home/a/.nvm/versions/node/v22.0.0/lib/" CLAUDE, PACKAGE("2.1.112"));
	put("home/a/.volta/tools/image/packages/@openai/codex/lib/node_modules/@openai/codex/"
	    "package.json",
		PACKAGE("0.5.0"));
	put("home/a/.local/share/pipx/venvs/aider-chat/lib/python3.12/site-packages/"
	    "aider_chat-0.86.1.dist-info/METADATA",
		"");
	put("home/a/.bun/install/global/node_modules/opencode-ai/package.json", "garbage");
	put("home/b/.local/lib/" CLAUDE, PACKAGE("2.2 \\u001b[31m"));
}

/* A home that is reached by a link; executables are told by where they are. */
static void fill_linked(void)
{
	char path[512];

	put("etc/passwd", "a:x:1000:1000::/home/a:/bin/sh\nb:x:1001:1001::/home/b:/bin/sh\n"
			  "c:x:1003:1003::/home/c:/bin/sh\n");
	put("data/c/.local/share/claude/versions/2.1.7", "");
	snprintf(path, sizeof(path), "%s/home/c", folder);
	assert_int_equal(symlink("/data/c", path), 0);
}

static void assert_line(const char *lines, const char *line)
{
	if (!strstr(lines, line))
		fail_msg("not there: %s in:\n%s", line, lines);
}

static void test_installs(void **state)
{
	const uint32_t uids[] = { 1000, 1001, 1002 };
	char command[64], *lines;
	unsigned count = 0;

	(void)state;
	assert_non_null(mkdtemp(folder));
	fill();
	lines = told(uids, 3);
	assert_line(lines, "-1 claude 2.0.1 /usr/lib/node_modules/@anthropic-ai/claude-code\n");
	assert_line(lines, "1000 claude 2.1.328 /home/a/.local/share/claude/versions/2.1.328\n");
	assert_line(lines, "1000 claude 2.1.9 /");
	assert_line(lines, "1000 claude 1.0.128 /home/a/.nvm/versions/node/v20.1.0/lib/");
	assert_line(lines, "1000 claude 2.1.112 /");
	assert_line(lines, "1000 codex 0.169.0 /");
	assert_line(lines, "1000 codex 0.5.0 /home/a/.volta/");
	assert_line(lines, "1000 aider 0.86.1 /home/a/.local/share/pipx/venvs/aider-chat/");
	for (const char *at = lines; (at = strchr(at, '\n')); at++)
		count++;
	assert_int_equal(count, 8);
	free(lines);
	/* Nobody's home but theirs. */
	lines = told(uids + 1, 1);
	assert_string_equal(
		lines, "-1 claude 2.0.1 /usr/lib/node_modules/@anthropic-ai/claude-code\n");
	free(lines);
	fill_linked();
	lines = told((const uint32_t[]){ 1003 }, 1);
	assert_line(lines, "1003 claude 2.1.7 /data/c/.local/share/claude/versions/2.1.7\n");
	free(lines);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_installs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

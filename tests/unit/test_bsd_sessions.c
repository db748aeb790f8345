/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions of agents on FreeBSD, from files of theirs below a home that is made for the test. */
#include "freebsd_host.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyze/processes/processes.h"

#define SESSION "0b5e7c1a-1111-4222-8333-444455556666"
#define LOG_AT	"/.claude/projects/-home-u-project/" SESSION ".jsonl"

static char home[64];
static char environment[128];
static struct kinfo agent;
static unsigned char cwd[1024];

static void write_file(const char *below, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s%s", home, below);
	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void open_session(struct host *h)
{
	static const char arguments[] = "/home/u/.local/bin/claude\0";
	static const char path[] = "/home/u/.local/share/claude/versions/2.1.299/claude";
	size_t size;

	host_open(h);
	agent = kinfo(100, 1, (uint32_t)geteuid(), "claude");
	answer(h, 1, 100, &agent, sizeof(agent));
	h->answers[h->count++] = (struct answer){
		.name = { 1, 14, 8 }, .names = 3, .data = &agent, .size = sizeof(agent)
	};
	answer(h, 7, 100, arguments, sizeof(arguments) - 1);
	answer(h, 12, 100, path, sizeof(path));
	size = (size_t)snprintf(environment, sizeof(environment), "TOKEN=x%cHOME=%s", 0, home);
	answer(h, 35, 100, environment, size + 1);
	memset(cwd, 0, sizeof(cwd));
	put(cwd, 4, 1, 4);
	put(cwd, 8, UINT32_MAX, 4);
	put(cwd, 32, 2, 4);
	size = pack(cwd, 368, "/home/u/project");
	answer(h, 42, 100, cwd, size);
}

/* A second sample right after the first is left out. */
static uint64_t later_ns(const struct os *os)
{
	static uint64_t calls;

	(void)os;
	return BSD_TEST_NOW_NS + calls++ * 10000000;
}

static char *show(unsigned wanted)
{
	struct processes_options o = { .shown = PROCESSES_AGENTS };
	struct host h;

	open_session(&h);
	if (bsd_test_meanwhile)
		h.os.now_ns = later_ns;
	return bsd_test_show(&h.os, "proc", "processes", &o, wanted, NULL, 0);
}

static int begin(void **state)
{
	(void)state;
	strcpy(home, "/tmp/sooth-sessions-XXXXXX");
	assert_non_null(mkdtemp(home));
	return 0;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", home);
	return system(command);
}

#define FILE_OF_SESSION                                                                            \
	"{\"pid\":100,\"sessionId\":\"" SESSION "\",\"status\":\"waiting\","                       \
	"\"waitingFor\":\"permission prompt\",\"version\":\"2.1.299\"}"
#define PROMPT                                                                                     \
	"{\"type\":\"user\",\"message\":{\"content\":\"do not show this\"},"                       \
	"\"timestamp\":\"2026-11-20T22:01:05Z\"}\n"
#define CALL(id, tool)                                                                             \
	"{\"type\":\"assistant\",\"message\":{\"id\":\"" id "\",\"model\":\"claude-x\","           \
	"\"usage\":{\"input_tokens\":1200,\"output_tokens\":34},\"content\":[{"                    \
	"\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"" tool "\"}]},"                            \
	"\"timestamp\":\"2026-11-20T22:01:06Z\"}\n"

static void test_session(void **state)
{
	char *shown;

	(void)state;
	write_file("/.claude/sessions/100.json", FILE_OF_SESSION);
	write_file(LOG_AT, PROMPT CALL("m1", "Bash"));
	shown = show(SOOTH_SAMPLE | SOOTH_TRANSCRIPT);
	assert_true(has(shown, "\"session_id\": \"" SESSION "\""));
	assert_true(has(shown, "\"status\": \"waiting\""));
	assert_true(has(shown, "waits for permission: Bash"));
	assert_true(has(shown, "\"model\": \"claude-x\""));
	assert_true(has(shown, "\"context_tokens\": 1234"));
	assert_false(has(shown, "do not show"));
	free(shown);
	/* Nothing of the log without being asked for. */
	shown = show(SOOTH_SAMPLE);
	assert_true(has(shown, "\"status\": \"waiting\""));
	assert_true(has(shown, "\"tool\": \"not requested\""));
	assert_false(has(shown, "claude-x"));
	free(shown);
}

static void go_on(void)
{
	write_file(LOG_AT, PROMPT CALL("m1", "Bash") PROMPT CALL("m2", "Edit"));
}

/* Lines that are added between two samples are counted once. */
static void test_growth(void **state)
{
	char *shown;

	(void)state;
	write_file("/.claude/sessions/100.json", FILE_OF_SESSION);
	write_file(LOG_AT, PROMPT CALL("m1", "Bash"));
	bsd_test_meanwhile = go_on;
	shown = show(SOOTH_SAMPLE | SOOTH_TRANSCRIPT);
	bsd_test_meanwhile = NULL;
	assert_true(has(shown, "\"turns\": 2"));
	assert_true(has(shown, "\"input_tokens\": 2400"));
	assert_true(has(shown, "\"tool\": \"Edit\""));
	free(shown);
}

static void expect_none(void)
{
	char *shown = show(SOOTH_SAMPLE | SOOTH_TRANSCRIPT);

	assert_true(has(shown, "\"pid\": 100"));
	assert_false(has(shown, SESSION));
	assert_true(has(shown, "\"status\": null"));
	free(shown);
}

/* Files that are not read: of another user, links, pipes, what is too long or no JSON. */
static void test_others(void **state)
{
	char path[256], target[256];
	static char large[80 << 10];

	(void)state;
	write_file("/elsewhere.json", FILE_OF_SESSION);
	write_file("/.claude/sessions/1.json", "");
	snprintf(path, sizeof(path), "%s/.claude/sessions/100.json", home);
	snprintf(target, sizeof(target), "%s/elsewhere.json", home);
	expect_none();
	assert_int_equal(symlink(target, path), 0);
	expect_none();
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_none();
	unlink(path);
	write_file("/.claude/sessions/100.json", "{\"sessionId\":");
	expect_none();
	memset(large, ' ', sizeof(large) - 1);
	memcpy(large, FILE_OF_SESSION, strlen(FILE_OF_SESSION));
	write_file("/.claude/sessions/100.json", large);
	expect_none();
	write_file("/.claude/sessions/100.json", FILE_OF_SESSION);
	if (!geteuid()) {
		assert_int_equal(chown(path, 4711, 4711), 0);
		expect_none();
	}
}

/* The file is of an earlier process with that number. */
static void test_earlier(void **state)
{
	static const struct timespec then[2] = { { .tv_sec = BOOT_S }, { .tv_sec = BOOT_S } };
	char path[256];

	(void)state;
	write_file("/.claude/sessions/100.json", FILE_OF_SESSION);
	snprintf(path, sizeof(path), "%s/.claude/sessions/100.json", home);
	assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
	expect_none();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_session, begin, end),
		cmocka_unit_test_setup_teardown(test_growth, begin, end),
		cmocka_unit_test_setup_teardown(test_others, begin, end),
		cmocka_unit_test_setup_teardown(test_earlier, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

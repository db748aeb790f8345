/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking at agents' files: which of several is the one, and what is not to be touched. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "os/linux/agent_logs/agent_read.h"
#include "os/linux/files/procfs.h"

#define SESSION "{\"sessionId\": \"the-session\", \"status\": \"idle\"}"
#define BEGIN_S 1000000000 /* when "the process" started, UTC */

static char folder[] = "/tmp/sooth-look-XXXXXX";
static char path_buffer[512];

static const char *at(const char *name)
{
	snprintf(path_buffer, sizeof(path_buffer), "%s/%s", folder, name);
	return path_buffer;
}

static void write_file(const char *name, const char *text, time_t changed)
{
	struct timespec times[2] = { { .tv_sec = changed }, { .tv_sec = changed } };
	FILE *file = fopen(at(name), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(utimensat(AT_FDCWD, at(name), times, 0), 0);
}

static int setup(void **state)
{
	(void)state;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	if (!mkdtemp(folder) || chdir(folder) || mkdir("sessions", 0700) ||
		mkdir("projects", 0700) || mkdir("projects/-here", 0700) ||
		mkdir("projects/-there", 0700) || mkdir("tmp", 0700) || mkdir("tmp/one", 0700) ||
		mkdir("tmp/two", 0700) || mkdir("tmp/one/chats", 0700) ||
		mkdir("tmp/two/chats", 0700) || mkdir("long", 0700))
		return -1;
	write_file("tmp/one/.project_root", "/here", 1);
	write_file("tmp/two/.project_root", "/there\n", 1);
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return chdir("/") | system(command);
}

/* As Claude Code keeps them; pid 42, started at BEGIN_S. */
static struct agent_read like_claude(void)
{
	struct agent_read look = { .pid = "42",
		.directory = "/here",
		.start_ticks = 777,
		.start_utc_ns = BEGIN_S * NS_PER_S,
		.needs_tool = true,
		.files = { .session_file = "sessions/{pid}.json",
			.session_key = "sessionId",
			.status_key = "status",
			.start_key = "procStart",
			.log = "projects/{directory}/{session}.jsonl",
			.log_kind = AGENT_LOG_CLAUDE } };

	snprintf(look.home, sizeof(look.home), "%s", folder);
	return look;
}

static struct agent_read like_gemini(void)
{
	struct agent_read look = { .directory = "/there",
		.start_utc_ns = BEGIN_S * NS_PER_S,
		.files = { .session_key = "sessionId",
			.start_key = "startTime",
			.log = "tmp/{project}/chats/session-*.jsonl",
			.project_file = ".project_root",
			.log_kind = AGENT_LOG_GEMINI } };

	snprintf(look.home, sizeof(look.home), "%s", folder);
	return look;
}

static void run(struct agent_read *look)
{
	uint64_t spent_ns;

	look->process = procfs_open(getpid());
	assert_true(look->process >= 0);
	agent_read(look, getpid(), 0, &spent_ns);
	close(look->process);
}

static const char *session_reported(void)
{
	static struct agent_read look;

	look = like_claude();
	run(&look);
	return look.info.session;
}

static void test_owner(void **state)
{
	(void)state;
	assert_string_equal(session_reported(), "");
	write_file("sessions/42.json", SESSION, BEGIN_S + 5);
	assert_string_equal(session_reported(), "the-session");
	/* A file of the process that had the pid earlier. */
	write_file("sessions/42.json", SESSION, BEGIN_S - 5);
	assert_string_equal(session_reported(), "");
	/* Written before the clock was set back. */
	write_file("sessions/42.json", SESSION, time(NULL) + 3600);
	assert_string_equal(session_reported(), "");
	/* It says itself whose it is; then its time is no matter. */
	write_file("sessions/42.json", "{\"sessionId\": \"mine\", \"procStart\": \"777\"}", 1);
	assert_string_equal(session_reported(), "mine");
	write_file("sessions/42.json", "{\"sessionId\": \"mine\", \"procStart\": \"778\"}",
		BEGIN_S + 5);
	assert_string_equal(session_reported(), "");
}

static void test_look_alikes(void **state)
{
	(void)state;
	write_file("sessions/42.json", "garbage {", BEGIN_S + 5);
	assert_string_equal(session_reported(), "");
	write_file("sessions/real.json", SESSION, BEGIN_S + 5);
	assert_int_equal(unlink(at("sessions/42.json")), 0);
	assert_int_equal(symlink("real.json", at("sessions/42.json")), 0);
	assert_string_equal(session_reported(), "");
	assert_int_equal(unlink(at("sessions/42.json")), 0);
	assert_int_equal(mkdir(at("sessions/42.json"), 0700), 0);
	assert_string_equal(session_reported(), "");
	assert_int_equal(rmdir(at("sessions/42.json")), 0);
	write_file("sessions/42.json", SESSION, BEGIN_S + 5);
	assert_int_equal(truncate(at("sessions/42.json"), 100 << 20), 0);
	assert_string_equal(session_reported(), "");
}

/* Somebody who waits to write to it waits on: to open it would let him go. */
static void test_fifo(void **state)
{
	pid_t child;
	int status;

	(void)state;
	assert_int_equal(mkfifo(at("sessions/42.json"), 0600), 0);
	child = fork();
	if (!child)
		_exit(open(at("sessions/42.json"), O_WRONLY) < 0);
	for (unsigned i = 0; i < 50; i++) {
		assert_string_equal(session_reported(), "");
		usleep(2000);
	}
	assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
}

#define CALL                                                                                       \
	"{\"type\":\"assistant\",\"timestamp\":\"2026-11-20T22:01:05Z\",\"message\":{\"content\":" \
	"["                                                                                        \
	"{\"type\":\"tool_use\",\"name\":\"Bash\"}]}}\n"

static void test_log(void **state)
{
	struct agent_read look = like_claude();
	struct agent_log_file known;

	(void)state;
	write_file("sessions/42.json", SESSION, BEGIN_S + 5);
	run(&look);
	assert_false(look.has_log);
	/* It has gone to another folder since, or its name is cut. */
	write_file("projects/-there/the-session.jsonl", CALL, BEGIN_S + 9);
	look = like_claude();
	run(&look);
	assert_true(look.has_log && look.has_tool);
	assert_true(look.log.changed_ns == (BEGIN_S + 9) * NS_PER_S);
	assert_string_equal(look.tool.name, "Bash");
	known = look.log;
	/* A log that has not changed is not read again. */
	look = like_claude();
	look.known = known;
	run(&look);
	assert_true(look.has_log && !look.has_tool);
	write_file("projects/-here/the-session.jsonl", "", BEGIN_S + 7);
	look = like_claude();
	run(&look);
	assert_true(look.has_log && !look.has_tool && !look.is_tool_cut);
	assert_true(look.log.changed_ns == (BEGIN_S + 7) * NS_PER_S);
}

#define OLD(id, place) "{\"cwd\":\"" place "\",\"sessionId\":\"" id "\",\"version\":\"2.0.50\"}\n"

/* An older version has no session file: its log is the newest of its directory since it began. */
static void test_newest_log(void **state)
{
	static struct agent_read look;

	(void)state;
	write_file("projects/-here/before.jsonl", OLD("before", "/here"), BEGIN_S - 9);
	write_file("projects/-there/elsewhere.jsonl", OLD("elsewhere", "/there"), BEGIN_S + 20);
	look = like_claude();
	run(&look);
	assert_true(!look.has_log && !look.info.session[0] && !look.is_ambiguous);
	write_file("projects/-here/one.jsonl", "{\"type\":\"summary\"}\n" OLD("one", "/here") CALL,
		BEGIN_S + 5);
	write_file("projects/-here/two.jsonl", OLD("two", "/here"), BEGIN_S + 3);
	/* Logs of a subagent, and of a directory whose name looks the same. */
	write_file("projects/-here/agent-1.jsonl", OLD("one", "/here"), BEGIN_S + 6);
	write_file("projects/-here/three.jsonl", OLD("three", "-here"), BEGIN_S + 7);
	look = like_claude();
	snprintf(look.files.version_key, sizeof(look.files.version_key), "version");
	run(&look);
	assert_string_equal(look.info.session, "one");
	assert_string_equal(look.info.version, "2.0.50");
	assert_int_equal(look.source, AGENT_READ_NEWEST);
	assert_true(look.has_log && look.has_tool);
	/* Neither of two processes there is known to write it. */
	look = like_claude();
	look.is_shared = true;
	run(&look);
	assert_true(look.is_ambiguous && !look.info.session[0] && !look.has_log);
}

static void test_end_of_a_log(void **state)
{
	static char line[1024];
	struct agent_read look = like_claude();
	FILE *file;

	(void)state;
	write_file("sessions/42.json", SESSION, BEGIN_S + 5);
	memset(line, 'x', sizeof(line) - 2);
	line[sizeof(line) - 2] = '\n';
	file = fopen(at("projects/-here/the-session.jsonl"), "w");
	assert_non_null(file);
	fputs(CALL, file);
	for (unsigned i = 0; i < 300; i++)
		fputs(line, file);
	fclose(file);
	run(&look);
	assert_true(look.has_log && !look.has_tool && look.is_tool_cut);
	file = fopen(at("projects/-here/the-session.jsonl"), "a");
	assert_non_null(file);
	fputs(CALL, file);
	fclose(file);
	look = like_claude();
	run(&look);
	assert_true(look.has_tool && !look.is_tool_cut);
}

#define HEAD(id, time) "{\"sessionId\":\"" id "\",\"startTime\":\"" time "\"}\n{}\n"

static void test_begun_with_it(void **state)
{
	struct agent_read look = like_gemini();

	(void)state;
	write_file("tmp/two/chats/session-old.jsonl", HEAD("old", "2001-09-09T01:40:00Z"),
		BEGIN_S + 50);
	write_file("tmp/one/chats/session-elsewhere.jsonl", HEAD("other", "2001-09-09T01:46:41Z"),
		BEGIN_S + 50);
	run(&look);
	assert_false(look.has_log || look.info.session[0]);
	write_file("tmp/two/chats/session-mine.jsonl", HEAD("mine", "2001-09-09T01:46:43Z"),
		BEGIN_S + 50);
	look = like_gemini();
	write_file("tmp/two/chats/session-later.jsonl", HEAD("later", "2199-09-09T01:46:43Z"),
		BEGIN_S + 70);
	run(&look);
	assert_string_equal(look.info.session, "mine");
	assert_true(look.has_log && look.log.changed_ns == (BEGIN_S + 50) * NS_PER_S);
	/* Somebody else's, or its own after a new begin: who knows. */
	write_file("tmp/two/chats/session-third.jsonl", HEAD("third", "2001-09-09T01:47:00Z"),
		BEGIN_S + 60);
	look = like_gemini();
	run(&look);
	assert_true(look.is_ambiguous && !look.has_log);
	assert_string_equal(look.info.session, "");
}

/* Objects with the pid, as of Cline: several sessions of one folder can be told apart. */
static void test_object_of_a_process(void **state)
{
	struct agent_read look = { .pid = "42",
		.start_utc_ns = BEGIN_S * NS_PER_S,
		.files = { .session_key = "session_id",
			.start_key = "started_at",
			.pid_key = "pid",
			.log = "tmp/{session}/{session}.json" } };
	static struct agent_read before;

	(void)state;
	snprintf(look.home, sizeof(look.home), "%s", folder);
	before = look;
	write_file("tmp/one/one.json",
		"{\n\"session_id\":\"one\",\n\"pid\": 43,\"started_at\":\"2001-09-09T01:46:43Z\"}",
		BEGIN_S + 50);
	run(&look);
	assert_string_equal(look.info.session, "");
	write_file("tmp/two/two.json",
		"{\n\"session_id\":\"two\",\n\"pid\": 42,\"started_at\":\"2001-09-09T01:46:43Z\"}",
		BEGIN_S + 50);
	write_file("tmp/two/two.messages.json", "{\"messages\":[], \"sessionId\":\"two\"}",
		BEGIN_S + 50);
	look = before;
	run(&look);
	assert_string_equal(look.info.session, "two");
	assert_int_equal(look.source, AGENT_READ_LOG);
	/* Of an earlier process with that pid. */
	write_file("tmp/two/two.json",
		"{\"session_id\":\"two\",\"pid\": 42,\"started_at\":\"2001-09-09T01:40:00Z\"}",
		BEGIN_S + 50);
	look = before;
	run(&look);
	assert_string_equal(look.info.session, "");
}

/* A long object, as of Auggie: its first members, and the directory in a later one. */
static void test_long_object(void **state)
{
	struct agent_read look = { .directory = "/here",
		.start_utc_ns = BEGIN_S * NS_PER_S,
		.files = { .session_key = "sessionId",
			.start_key = "created",
			.directory_key = AGENT_ANY_KEY,
			.log = "long/{session}.json" } };
	static struct agent_read before;
	static char text[100 << 10];
	int size = snprintf(text, sizeof(text),
		"{\"sessionId\":\"mine\",\"note\":\"[,{\\\"\",\"created\":\"2001-09-09T01:46:43Z\","
		"\"chat\":[{\"root\":\"/here\"},\"");

	(void)state;
	snprintf(look.home, sizeof(look.home), "%s", folder);
	before = look;
	memset(text + size, 'x', sizeof(text) - (size_t)size - 1);
	memcpy(text + sizeof(text) - 4, "\"]}", 4);
	write_file("long/mine.json", text, BEGIN_S + 50);
	/* Of another directory; an array, as of Continue beside its sessions. */
	write_file("long/other.json",
		"{\"sessionId\":\"other\",\"created\":\"2001-09-09T01:46:43Z\",\"chat\":[\"/"
		"there\"]}",
		BEGIN_S + 50);
	write_file("long/sessions.json", "[{\"sessionId\":\"mine\",\"root\":\"/here\"}]",
		BEGIN_S + 50);
	run(&look);
	assert_string_equal(look.info.session, "mine");
	look = before;
	snprintf(look.directory, sizeof(look.directory), "/nowhere");
	run(&look);
	assert_string_equal(look.info.session, "");
}

/* The first line has no time, as of Droid: it began when the file was made. */
static void test_begun_by_birth(void **state)
{
	struct agent_read look = { .directory = "/here",
		.files = { .session_key = "id",
			.directory_key = "cwd",
			.log = "tmp/*/{session}.jsonl" } };
	static struct agent_read before;
	time_t now = time(NULL);

	(void)state;
	snprintf(look.home, sizeof(look.home), "%s", folder);
	look.start_utc_ns = (uint64_t)(now - 1) * NS_PER_S;
	before = look;
	write_file("tmp/two/other.jsonl", "{\"id\":\"other\",\"cwd\":\"/there\"}\n", now);
	run(&look);
	assert_string_equal(look.info.session, "");
	write_file("tmp/one/mine.jsonl", "{\"id\":\"mine\",\"cwd\":\"/here\"}\n{}\n", now);
	look = before;
	run(&look);
	assert_string_equal(look.info.session, "mine");
	/* The process is younger than the file. */
	look = before;
	look.start_utc_ns = (uint64_t)(now + 10) * NS_PER_S;
	run(&look);
	assert_string_equal(look.info.session, "");
}

static void test_open_files(void **state)
{
	struct agent_read look = { .files = { .open_file = "sessions/{session}.lock" } };
	int one, two;

	(void)state;
	snprintf(look.home, sizeof(look.home), "%s", folder);
	one = open(at("sessions/first.lock"), O_RDWR | O_CREAT, 0600);
	run(&look);
	assert_string_equal(look.info.session, "first");
	two = open(at("sessions/second.lock"), O_RDWR | O_CREAT, 0600);
	look.info.session[0] = '\0';
	run(&look);
	assert_true(look.is_ambiguous);
	assert_string_equal(look.info.session, "");
	close(one);
	close(two);
}

static void test_option(void **state)
{
	struct agent_read look = like_claude();

	(void)state;
	strcpy(look.option, "an-option-that-says-it");
	run(&look);
	assert_int_equal(look.source, AGENT_READ_OPTION);
	assert_string_equal(look.info.session, "an-option-that-says-it");
	write_file("sessions/42.json", SESSION, BEGIN_S + 5);
	look = like_claude();
	strcpy(look.option, "an-option-that-says-it");
	run(&look);
	assert_string_equal(look.info.session, "the-session");
}

/* The branch of a directory below `folder`; "?": it could not be read. */
static const char *branch_of(const char *directory)
{
	static struct agent_read look;

	look = (struct agent_read){ 0 };
	snprintf(look.directory, sizeof(look.directory), "%s/%s", folder, directory);
	run(&look);
	return look.branch_status && look.branch_status != -ENOENT ? "?" : look.branch;
}

static void test_branch(void **state)
{
	char linked[600];

	(void)state;
	assert_string_equal(branch_of("tmp"), "");
	assert_int_equal(mkdir(".git", 0700), 0);
	assert_string_equal(branch_of("tmp"), "");
	write_file(".git/HEAD", "ref: refs/heads/feature/x\n", 1);
	assert_string_equal(branch_of("tmp/one"), "feature/x");
	/* Detached, and no name that git allows. */
	write_file(".git/HEAD", "0123456789012345678901234567890123456789\n", 1);
	assert_string_equal(branch_of("tmp"), "");
	write_file(".git/HEAD", "ref: refs/heads/a\033[31m\n", 1);
	assert_string_equal(branch_of("tmp"), "");
	/* A linked working tree, by either kind of path. */
	assert_int_equal(mkdir(".git/two", 0700), 0);
	write_file(".git/two/HEAD", "ref: refs/heads/linked\n", 1);
	write_file("tmp/two/.git", "gitdir: ../../.git/two\n", 1);
	assert_string_equal(branch_of("tmp/two"), "linked");
	snprintf(linked, sizeof(linked), "gitdir: %s/.git/two\n", folder);
	write_file("tmp/two/.git", linked, 1);
	assert_string_equal(branch_of("tmp/two"), "linked");
	/* No link is followed to another file, and nothing that is no small file is read. */
	write_file("secret", "ref: refs/heads/secret\n", 1);
	assert_int_equal(unlink(".git/HEAD"), 0);
	assert_int_equal(symlink("../secret", ".git/HEAD"), 0);
	assert_string_equal(branch_of("tmp"), "?");
	assert_int_equal(unlink(".git/HEAD") | mkfifo(".git/HEAD", 0600), 0);
	assert_string_equal(branch_of("tmp"), "?");
}

#define PROMPT(text) "{\"type\":\"user\",\"message\":{\"content\":\"" text "\"}}\n"

/* The first prompt stays when the log grows; another log has another one. */
static void test_task(void **state)
{
	struct agent_read look = like_claude(), next = like_claude();
	FILE *file;

	(void)state;
	write_file("sessions/42.json", SESSION, BEGIN_S + 5);
	write_file("projects/-here/the-session.jsonl", PROMPT("first"), BEGIN_S + 6);
	run(&look);
	assert_string_equal(look.task, "first");
	/* Longer than what is read of its end. */
	file = fopen(at("projects/-here/the-session.jsonl"), "a");
	for (int i = 0; i < 9000; i++)
		fputs(PROMPT("second"), file);
	fclose(file);
	run(&next);
	assert_string_equal(next.task, "first");
	strcpy(next.task, "kept");
	next.known = look.log;
	run(&next);
	assert_string_equal(next.task, "kept");
	next.known.inode++;
	run(&next);
	assert_string_equal(next.task, "first");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_owner),
		TEST(test_look_alikes),
		TEST(test_fifo),
		TEST(test_log),
		TEST(test_newest_log),
		TEST(test_end_of_a_log),
		TEST(test_begun_with_it),
		TEST(test_object_of_a_process),
		TEST(test_long_object),
		TEST(test_begun_by_birth),
		TEST(test_open_files),
		TEST(test_option),
		TEST(test_branch),
		TEST(test_task),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

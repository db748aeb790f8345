/* SPDX-License-Identifier: BSD-2-Clause */
/* Content of agents' files, from bytes: patterns, session files, logs, environments, users. */
#include "support.h"

#include "os/agent_logs/agent_environment.h"
#include "os/linux/agent_logs/agent_files.h"
#include "os/linux/agent_logs/agent_home.h"
#include "os/agent_logs/agent_json.h"
#include "os/agent_logs/agent_turn.h"
#include "os/linux/files/user_names.h"

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

static const struct agent_path values = {
	.pid = { "42", 2 },
	.directory = { "/tmp/a_b.c/D9", 13 },
};

static const char *expanded(const char *pattern)
{
	static char out[32];

	return agent_path_expand(out, sizeof(out), text(pattern), &values) ? out : NULL;
}

static void test_expand(void **state)
{
	(void)state;
	assert_string_equal(expanded("{pid}.json"), "42.json");
	assert_string_equal(expanded("{directory}"), "-tmp-a-b-c-D9");
	assert_string_equal(expanded("plain"), "plain");
	assert_null(expanded("{session}.jsonl")); /* not known */
	assert_null(expanded("a*"));
	assert_null(expanded("{project}"));
	assert_null(expanded(""));
	assert_null(expanded("0123456789012345678901234567890123456789"));
}

static const char *matched(const char *pattern, const char *name)
{
	static char out[AGENT_ID_MAX + 1];
	struct span session = { "", 0 };

	if (!agent_path_match(text(pattern), text(name), &values, &session))
		return NULL;
	snprintf(out, sizeof(out), "%.*s", (int)session.size, session.data);
	return out;
}

static void test_match(void **state)
{
	(void)state;
	assert_string_equal(matched("{session}.lock", "01a1-9e.lock"), "01a1-9e");
	assert_null(matched("{session}.lock", ".coordination.lock"));
	assert_null(matched("{session}.lock", "a b.lock"));
	assert_null(matched("{session}.lock", ".lock"));
	assert_string_equal(matched("session-*.jsonl", "session-2026.jsonl"), "");
	assert_string_equal(matched("{pid}.*.json", "42..json"), "");
	assert_null(matched("{pid}.json", "421.json"));
	assert_null(matched("{pid}.json", "42.json.key"));
	assert_string_equal(matched("{directory}", "-tmp-a-b-c-D9"), "");
	assert_null(matched("{directory}", "-tmp-a-b-c-D8"));
}

static void test_path_ends(void **state)
{
	struct span id = { "", 0 };

	(void)state;
	assert_true(agent_path_ends(
		text("locks/{session}.lock"), text("/h/.codex/locks/ab.lock"), &values, &id));
	assert_true(span_equal(id, "ab"));
	assert_false(agent_path_ends(
		text("locks/{session}.lock"), text("/h/xlocks/ab.lock"), &values, &id));
	assert_false(agent_path_ends(text("a/b/{session}"), text("/b/x"), &values, &id));
	assert_false(agent_path_ends(text("{session}"), text("pipe:[12]"), &values, &id));
}

static void test_mcp_server(void **state)
{
	struct span server = { "", 0 };

	(void)state;
	assert_true(agent_mcp_server(text("mcp__files__read__all"), &server));
	assert_true(span_equal(server, "files"));
	assert_true(agent_mcp_server(text("mcp__files_"), &server));
	assert_true(span_equal(server, "files_"));
	assert_true(agent_mcp_server(text("mcp____read"), &server));
	assert_int_equal(server.size, 0);
	assert_true(agent_mcp_server(text("mcp__"), &server));
	assert_int_equal(server.size, 0);
	assert_false(agent_mcp_server(text("mcp_files"), &server));
	assert_false(agent_mcp_server(text(""), &server));
}

/* --- session files --- */

static const struct agent_files keys = { .session_key = "sessionId",
	.status_key = "status",
	.start_key = "procStart",
	.version_key = "version",
	.changed_key = "statusUpdatedAt" };

static bool parsed(struct agent_session_info *info, const char *json)
{
	return agent_session_info_parse(info, &keys, json, strlen(json));
}

static void test_words(void **state)
{
	struct agent_session_info w;

	(void)state;
	assert_true(parsed(&w, "{\"pid\": 1, \"sessionId\": \"ab-1\", \"procStart\": \"1310584\","
			       "\"version\": \"2.1.328\", \"status\": \"busy\","
			       "\"statusUpdatedAt\": 1795212065744}"));
	assert_string_equal(w.session, "ab-1");
	assert_string_equal(w.status, "busy");
	assert_string_equal(w.version, "2.1.328");
	assert_true(w.has_start_ticks && w.start_ticks == 1310584);
	assert_true(w.changed_utc_ns == 1795212065744000000);
	assert_true(parsed(&w, "{\"sessionId\": \"x\", \"status\": \"so to speak\"}"));
	assert_string_equal(w.status, "");
	assert_false(w.has_start_ticks || w.start_utc_ns || w.changed_utc_ns);
	assert_true(
		parsed(&w, "{\"sessionId\": \"x\", \"procStart\": \"2026-11-20T22:00:55.963Z\"}"));
	assert_true(!w.has_start_ticks && w.start_utc_ns == 1795212055963000000);
	assert_false(parsed(&w, "{\"sessionId\": \"x y\"}"));
	assert_false(parsed(&w, "{\"sessionId\": \"\\u001b[31m\"}"));
	assert_false(parsed(&w, "{\"sessionId\": 7}"));
	assert_false(parsed(&w, "{\"sessionId\": \"x\""));
	assert_false(parsed(&w, "[\"sessionId\", \"x\"]"));
	assert_false(parsed(&w, ""));
	assert_string_equal(w.session, "");
}

static void test_deep(void **state)
{
	char json[4 * AGENT_JSON_DEPTH];
	size_t half = sizeof(json) / 2;

	(void)state;
	memset(json, '[', half);
	memset(json + half, ']', half);
	memcpy(json, "{\"a\":", 5);
	json[sizeof(json) - 1] = '}';
	assert_null(agent_json_object(json, sizeof(json)));
	json_decref(agent_json_object("{\"a\": \"[[[[\"}", 13));
}

static uint64_t time_of(const char *value)
{
	_cleanup_json_ json_t *json = json_pack("{s:s}", "t", value);

	return agent_json_utc_ns(json, "t");
}

static void test_times(void **state)
{
	(void)state;
	assert_true(time_of("1970-01-01T00:00:01Z") == 1000000000);
	assert_true(time_of("2026-11-20T22:01:05.832Z") == 1795212065832000000);
	assert_true(time_of("2026-11-20T22:01:05.8321234567890Z") == 1795212065832123456);
	assert_true(time_of("2024-02-29T00:00:00Z") == 1709164800000000000);
	assert_true(time_of("2026-11-20T22:01:05") == 0);
	assert_true(time_of("2026-11-20T22:01:05.Z") == 0);
	assert_true(time_of("2026-13-20T22:01:05Z") == 0);
	assert_true(time_of("2026-11-20T22:01:05+01:00") == 0);
	assert_true(time_of("9999-11-20T22:01:05Z") == 0);
	assert_true(time_of("yesterday") == 0);
}

/* --- logs --- */

#define USE(name)                                                                                  \
	"{\"type\":\"assistant\",\"timestamp\":\"1970-01-01T00:00:02Z\",\"message\":{"             \
	"\"content\":[{\"type\":\"text\",\"text\":\"secret\"},{\"type\":\"tool_use\",\"name\":"    \
	"\"" name "\",\"input\":{\"command\":\"secret\"}}]}}\n"

static const char *last(enum agent_log kind, const char *log, bool is_cut)
{
	static struct agent_tool tool;

	tool = (struct agent_tool){ .name = "untouched" };
	if (agent_log_last_tool(&tool, kind, log, strlen(log), is_cut)) {
		assert_true(tool.utc_ns == 2000000000);
		return tool.name;
	}
	assert_string_equal(tool.name, "untouched");
	return NULL;
}

static void test_claude_log(void **state)
{
	(void)state;
	assert_string_equal(last(AGENT_LOG_CLAUDE, USE("Read") USE("Bash"), false), "Bash");
	assert_string_equal(last(AGENT_LOG_CLAUDE, USE("mcp__a__b"), false), "mcp__a__b");
	assert_string_equal(
		last(AGENT_LOG_CLAUDE, USE("Bash") "{\"type\":\"user\"}\n", false), "Bash");
	/* Another one is being written. */
	assert_string_equal(last(AGENT_LOG_CLAUDE, USE("Bash") "{\"type\":\"assis", false), "Bash");
	assert_string_equal(
		last(AGENT_LOG_CLAUDE, USE("Bash") "gar\"tool_use\"bage\n", false), "Bash");
	assert_string_equal(last(AGENT_LOG_CLAUDE, USE("Bash") USE("a b"), false), "Bash");
	assert_null(last(AGENT_LOG_CLAUDE, USE("Bash"), true));
	assert_string_equal(last(AGENT_LOG_CLAUDE, "ool_use\n" USE("Bash"), true), "Bash");
	assert_null(last(AGENT_LOG_CLAUDE, "", false));
	assert_null(last(AGENT_LOG_CLAUDE, "\n\n", false));
	assert_null(last(AGENT_LOG_NONE, USE("Bash"), false));
	/* A call that the user pasted is none of the agent's. */
	assert_null(last(AGENT_LOG_CLAUDE,
		"{\"type\":\"user\",\"message\":{\"content\":[{\"type\":\"tool_use\","
		"\"name\":\"Bash\"}]}}\n",
		false));
}

static void test_other_logs(void **state)
{
	(void)state;
	assert_string_equal(
		last(AGENT_LOG_CODEX,
			"{\"timestamp\":\"1970-01-01T00:00:02Z\",\"type\":\"response_item\","
			"\"payload\":{\"type\":\"function_call\",\"name\":\"exec_command\"}}\n"
			"{\"type\":\"response_item\",\"payload\":{\"type\":\"message\"}}\n",
			false),
		"exec_command");
	assert_string_equal(
		last(AGENT_LOG_CODEX,
			"{\"timestamp\":\"1970-01-01T00:00:02Z\",\"type\":\"response_item\","
			"\"payload\":{\"type\":\"local_shell_call\"}}\n",
			false),
		"local_shell");
	assert_null(last(AGENT_LOG_CODEX,
		"{\"type\":\"event_msg\",\"payload\":{\"type\":\"function_call\",\"name\":\"x\"}}"
		"\n",
		false));
	assert_string_equal(
		last(AGENT_LOG_GEMINI,
			"{\"type\":\"gemini\",\"toolCalls\":[{\"name\":\"a\"},{\"name\":"
			"\"run_shell_command\",\"timestamp\":\"1970-01-01T00:00:02Z\"}]}\n",
			false),
		"run_shell_command");
	assert_null(last(AGENT_LOG_GEMINI, "{\"toolCalls\":[]}\n{\"toolCalls\":7}\n", false));
}

/* --- homes --- */

#define HOME_OF(files, bytes)                                                                      \
	(agent_home_of(home, sizeof(home), &(files), bytes, sizeof(bytes) - 1) ? home : NULL)

static void test_home(void **state)
{
	const struct agent_files plain = { .home = ".claude", .home_variable = "CONFIG_DIR" };
	char home[32];

	(void)state;
	assert_string_equal(HOME_OF(plain, "A=1\0HOME=/h\0"), "/h/.claude");
	assert_string_equal(HOME_OF(plain, "HOME=/h\0CONFIG_DIR=/c/d\0"), "/c/d");
	assert_string_equal(HOME_OF(plain, "HOME=/h\0CONFIG_DIR=\0"), "/h/.claude");
	assert_string_equal(HOME_OF(plain, "HOME=/h\0CONFIG_DIR=relative\0"), "/h/.claude");
	assert_string_equal(HOME_OF(plain, "HOME=/h\0HOME=/other\0"), "/h/.claude");
	assert_null(HOME_OF(plain, "HOMER=/h\0"));
	assert_null(HOME_OF(plain, ""));
	assert_null(HOME_OF(plain, "HOME=/a/folder/that/is/too/long/for/it\0"));
}

static const char *home_of_user(const char *file, uint32_t uid)
{
	static char out[32];
	struct span home;

	if (!passwd_home(&home, file, strlen(file), uid))
		return NULL;
	snprintf(out, sizeof(out), "%.*s", (int)home.size, home.data);
	return out;
}

static void test_passwd(void **state)
{
	static const char file[] = "root:x:0:0:root:/root:/bin/bash\n"
				   "# x:x:7\nbroken:x:7\n::7:\nrelative:x:7:7::home:/bin/sh\n"
				   "a:x:1000:1000:A,,,:/home/a:/bin/sh\n"
				   "b:x:1000:1000::/home/b:/bin/sh\nlast:x:8:8::/home/l";

	(void)state;
	assert_string_equal(home_of_user(file, 0), "/root");
	assert_string_equal(home_of_user(file, 1000), "/home/a");
	assert_string_equal(home_of_user(file, 8), "/home/l");
	assert_null(home_of_user(file, 7));
	assert_null(home_of_user(file, 100));
	assert_null(home_of_user("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_path_ends),
		cmocka_unit_test(test_mcp_server),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_claude_log),
		cmocka_unit_test(test_other_logs),
		cmocka_unit_test(test_home),
		cmocka_unit_test(test_passwd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

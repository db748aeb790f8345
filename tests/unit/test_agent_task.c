/* SPDX-License-Identifier: BSD-2-Clause */
/* The first words of a session, from logs of agents as these write them. */
#include "support.h"

#include "os/agent_logs/agent_task.h"

static char task[AGENT_TASK_MAX + 1];

static const char *read_log(enum agent_log kind, const char *text)
{
	bool has_task = agent_task_read(task, kind, text, strlen(text));

	assert_int_equal(has_task, task[0] != '\0');
	return task;
}

#define CLAUDE(more, content)                                                                      \
	"{\"type\":\"user\"," more "\"message\":{\"role\":\"user\",\"content\":" content "}}\n"

/* What Claude Code writes of its own, and what comes after the first prompt, is no task. */
static void test_claude(void **state)
{
	(void)state;
	assert_string_equal(read_log(AGENT_LOG_CLAUDE,
				    "{\"type\":\"summary\",\"summary\":\"user words\"}\n" CLAUDE(
					    "\"isMeta\":true,", "\"Caveat: x\"")
					    CLAUDE("", "\"<command-name>/init</command-name>\"")
						    CLAUDE("\"isSidechain\":true,", "\"of a "
										    "subagent\"")
							    CLAUDE("", "\"mend the\\n  test \"")
								    CLAUDE("", "\"then push\"")),
		"mend the test");
	assert_string_equal(
		read_log(AGENT_LOG_CLAUDE,
			CLAUDE("", "[{\"type\":\"text\",\"text\":\"<ide_opened_file>a</"
				   "ide_opened_file>\"},{\"type\":\"text\",\"text\":\"why\"}]")),
		"why");
	/* A result of a tool has no words of the user. */
	assert_string_equal(
		read_log(AGENT_LOG_CLAUDE,
			CLAUDE("", "[{\"type\":\"tool_result\",\"content\":\"the output\"}]")),
		"");
	assert_string_equal(read_log(AGENT_LOG_CLAUDE, "{\"type\":\"user\",\"message\""), "");
}

static void test_others(void **state)
{
	(void)state;
	assert_string_equal(
		read_log(AGENT_LOG_CODEX,
			"{\"type\":\"response_item\",\"payload\":{\"type\":\"message\",\"role\":"
			"\"user\",\"content\":[{\"type\":\"input_text\",\"text\":"
			"\"<environment_context>x\"}]}}\n"
			"{\"type\":\"event_msg\",\"payload\":{\"type\":\"user_message\","
			"\"message\":\"port it\"}}\n"),
		"port it");
	assert_string_equal(read_log(AGENT_LOG_GEMINI,
				    "{\"type\":\"gemini\",\"content\":\"user\"}\n"
				    "{\"type\":\"user\",\"content\":[{\"text\":\"explain\"}]}\n"),
		"explain");
	assert_string_equal(
		read_log(AGENT_LOG_OPENCODE, "{\"type\":\"user\",\"content\":\"x\"}"), "");
}

/* Cut behind a whole character; a secret is masked before that, also where the cut is in it. */
static void test_cut(void **state)
{
	(void)state;
	assert_string_equal(
		read_log(AGENT_LOG_CLAUDE, CLAUDE("", "\"123456789 123456789 123456789\u00e9x\"")),
		"123456789 123456789 123456789\u00e9...");
	read_log(AGENT_LOG_CLAUDE, CLAUDE("", "\"call it with --api-key sk-ant-REDACTED-"
					      "REDACTED and more\""));
	assert_string_equal(task, "call it with --api-key *** and...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claude),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns and tokens in the logs of agents, as these write them, and in lines that no agent writes.
 */
#include "support.h"

#include "os/agent_logs/agent_tokens.h"

static struct agent_tokens read_log(enum agent_log kind, const char *text)
{
	struct agent_tokens t = { 0 };

	assert_int_equal(agent_tokens_read(&t, kind, text, strlen(text)), strlen(text));
	return t;
}

#define CLAUDE(id, model, in, out)                                                                 \
	"{\"type\":\"assistant\",\"message\":{\"id\":\"" id "\",\"model\":\"" model                \
	"\",\"usage\":{\"input_tokens\":" in ",\"cache_creation_input_tokens\":20,"                \
	"\"cache_read_input_tokens\":100,\"output_tokens\":" out "}}}\n"

static void answers_of_claude(void **state)
{
	struct agent_tokens t = read_log(AGENT_LOG_CLAUDE,
		CLAUDE("m1", "claude-x", "3", "1") CLAUDE("m1", "claude-x", "3", "17")
			CLAUDE("m2", "claude-y", "5", "7"));

	(void)state;
	/* Two lines of one answer are one: the last has all of it. */
	assert_int_equal(t.turns, 2);
	assert_int_equal(t.input, 123 + 125);
	assert_int_equal(t.output, 17 + 7);
	assert_int_equal(t.context, 125 + 7);
	assert_string_equal(t.model, "claude-y");
}

static void subagents_have_their_own_context(void **state)
{
	struct agent_tokens t = read_log(AGENT_LOG_CLAUDE,
		CLAUDE("m1", "claude-x", "3", "17") "{\"type\":\"assistant\",\"isSidechain\":true,"
						    "\"message\":{\"id\":\"m2\",\"model\":"
						    "\"small\",\"usage\":{\"input_tokens\":1000,"
						    "\"output_tokens\":1}}}\n");

	(void)state;
	assert_int_equal(t.turns, 2);
	assert_int_equal(t.input, 1123);
	assert_int_equal(t.context, 140);
	assert_string_equal(t.model, "claude-x");
}

static void what_is_no_answer_counts_nothing(void **state)
{
	static const char *const lines[] = {
		CLAUDE("m1", "<synthetic>", "3", "1"),
		"{\"type\":\"user\",\"message\":{\"content\":\"\\\"usage\\\"\",\"usage\":{}}}\n",
		"{\"type\":\"assistant\",\"message\":{\"model\":\"x\",\"usage\":7}}\n",
		"{\"type\":\"assistant\",\"message\":\"usage\"\n",
		"\"usage\"\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_false(read_log(AGENT_LOG_CLAUDE, lines[i]).has_any);
}

static void numbers_that_are_none(void **state)
{
	struct agent_tokens t = read_log(AGENT_LOG_CLAUDE,
		"{\"type\":\"assistant\",\"message\":{\"id\":\"m\",\"model\":\"x\",\"usage\":{"
		"\"input_tokens\":9223372036854775807,\"output_tokens\":-4}}}\n");

	(void)state;
	assert_int_equal(t.turns, 1);
	assert_int_equal(t.input, 0);
	assert_int_equal(t.output, 0);
}

/* Each figure could be one, their sum could not: it stops at what a session may have. */
static void sums_that_are_none(void **state)
{
	static const char line[] =
		"{\"type\":\"assistant\",\"message\":{\"model\":\"x\",\"usage\":{"
		"\"input_tokens\":4294967296,\"output_tokens\":4294967296}}}\n";
	struct agent_tokens t = { 0 };

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		agent_tokens_read(&t, AGENT_LOG_CLAUDE, line, sizeof(line) - 1);
	assert_int_equal(t.turns, 1000);
	assert_true(agent_tokens_are_plausible(&t));
	assert_int_equal(t.input, 1ull << 40);
	t.input = 9000000000000000000u;
	assert_false(agent_tokens_are_plausible(&t));
}

#define CODEX(in, out)                                                                             \
	"{\"type\":\"event_msg\",\"payload\":{\"type\":\"token_count\",\"info\":{"                 \
	"\"total_token_usage\":{\"input_tokens\":" in ",\"output_tokens\":" out                    \
	"},\"last_token_usage\":{\"input_tokens\":50,\"output_tokens\":5}}}}\n"

static void answers_of_codex(void **state)
{
	struct agent_tokens t = read_log(AGENT_LOG_CODEX,
		"{\"type\":\"turn_context\",\"payload\":{\"model\":\"gpt-5\"}}\n" CODEX("50", "5")
			CODEX("50", "5")
				CODEX("100", "10") "{\"type\":\"event_msg\",\"payload\":{\"type\":"
						   "\"token_count\",\"info\":null}}\n");

	(void)state;
	/* It repeats the sums when the limits of the account change. */
	assert_int_equal(t.turns, 2);
	assert_int_equal(t.input, 100);
	assert_int_equal(t.output, 10);
	assert_int_equal(t.context, 55);
	assert_string_equal(t.model, "gpt-5");
}

static void answers_of_gemini(void **state)
{
	struct agent_tokens t = read_log(AGENT_LOG_GEMINI,
		"{\"id\":\"a\",\"type\":\"gemini\",\"tokens\":{\"input\":123,\"output\":17,"
		"\"cached\":100,\"thoughts\":4,\"tool\":0,\"total\":144},\"model\":\"g-2\"}\n"
		"{\"id\":\"b\",\"type\":\"user\",\"tokens\":{\"input\":5}}\n");

	(void)state;
	assert_int_equal(t.turns, 1);
	assert_int_equal(t.input, 123);
	assert_int_equal(t.output, 21);
	assert_string_equal(t.model, "g-2");
}

static void a_line_that_is_still_written(void **state)
{
	static const char text[] = CLAUDE("m1", "x", "3", "1") "{\"type\":\"assistant\"";
	struct agent_tokens t = { 0 };
	size_t taken = agent_tokens_read(&t, AGENT_LOG_CLAUDE, text, strlen(text));

	(void)state;
	assert_int_equal(taken, strlen(CLAUDE("m1", "x", "3", "1")));
	assert_int_equal(t.turns, 1);
	assert_int_equal(agent_tokens_read(&t, AGENT_LOG_CLAUDE, text + taken, 3), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_of_claude),
		cmocka_unit_test(subagents_have_their_own_context),
		cmocka_unit_test(what_is_no_answer_counts_nothing),
		cmocka_unit_test(numbers_that_are_none),
		cmocka_unit_test(sums_that_are_none),
		cmocka_unit_test(answers_of_codex),
		cmocka_unit_test(answers_of_gemini),
		cmocka_unit_test(a_line_that_is_still_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

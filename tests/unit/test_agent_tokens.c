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

#define AT(second)     "\"timestamp\":\"2026-11-20T10:00:" second ".000Z\""
#define PROMPT(second) "{\"type\":\"user\"," AT(second) ",\"message\":{\"content\":\"go\"}}\n"
#define CALL(second, id, tool, input)                                                              \
	"{\"type\":\"assistant\"," AT(second) ",\"message\":{\"id\":\"m" id                        \
					      "\",\"model\":\"x\",\"usage\":{\"input_tokens\":"    \
					      "100,\"output_tokens\":1},\"content\":[{"            \
					      "\"type\":\"tool_use\",\"id\":\"t" id                \
					      "\",\"name\":\"" tool "\",\"input\":\"" input        \
					      "\"}]}}\n"
#define RESULT(second, id, text, more)                                                             \
	"{\"type\":\"user\"," AT(second) ",\"message\":{\"content\":[{\"type\":\"tool_result\","   \
					 "\"tool_use_id\":\"t" id "\",\"content\":\"" text         \
					 "\"" more "}]}}\n"

static uint32_t turns_without_effect(const char *text)
{
	struct agent_tokens t = read_log(AGENT_LOG_CLAUDE, text);

	return t.progress.now.turns - t.progress.at_effect.turns;
}

static void effects_of_answers(void **state)
{
	(void)state;
	/* A new result is one; the same result again is none, nor are times in it. */
	assert_int_equal(turns_without_effect(PROMPT("00") CALL("01", "1", "Bash", "a")
					 RESULT("02", "1", "3 failed in 0.21s", "")),
		0);
	assert_int_equal(turns_without_effect(PROMPT("00") CALL("01", "1", "Bash", "a") RESULT(
				 "02", "1", "3 failed in 0.21s", "") CALL("03", "2", "Bash", "a")
					 RESULT("04", "2", "3 failed in 0.34s", "")),
		1);
	assert_int_equal(turns_without_effect(PROMPT("00") CALL("01", "1", "Bash", "a") RESULT(
				 "02", "1", "3 failed in 0.21s", "") CALL("03", "2", "Bash", "a")
					 RESULT("04", "2", "2 failed in 0.21s", "")),
		0);
	/* Another call with the same result is one, unless that is an error. */
	assert_int_equal(turns_without_effect(PROMPT("00") CALL("01", "1", "Bash", "a")
					 RESULT("02", "1", "none", "") CALL("03", "2", "Bash", "b")
						 RESULT("04", "2", "none", "")),
		0);
	assert_int_equal(turns_without_effect(PROMPT("00") CALL("01", "1", "Bash", "a") RESULT("02",
				 "1", "none", ",\"is_error\":true") CALL("03", "2", "Bash", "b")
					 RESULT("04", "2", "none", ",\"is_error\":true")),
		1);
	/* So is a prompt, after which everything is new. */
	assert_int_equal(turns_without_effect(PROMPT("00") CALL("01", "1", "Bash", "a")
					 RESULT("02", "1", "x", "") CALL("03", "2", "Bash", "a")
						 RESULT("04", "2", "x", "") PROMPT("05")),
		0);
}

static void calls_of_servers(void **state)
{
	struct agent_tokens t = read_log(AGENT_LOG_CLAUDE,
		PROMPT("00") CALL("01", "1", "mcp__files__read", "a") RESULT("03", "1", "x", "")
			CALL("04", "2", "mcp__web__get", "a") RESULT(
				"05", "2", "no", ",\"is_error\":true")
				CALL("06", "3", "mcp__web__get", "b") RESULT("10", "3", "yes", ""));
	const struct agent_server_use *s = agent_progress_server(&t.progress);

	(void)state;
	assert_string_equal(s->name, "web"); /* its errors are worse */
	assert_int_equal(s->calls, 2);
	assert_int_equal(s->errors, 1);
	assert_int_equal(s->longest_ns, 4000000000u);
	agent_tokens_read(&t, AGENT_LOG_CLAUDE, CALL("11", "4", "mcp__files__read", "b"),
		strlen(CALL("11", "4", "mcp__files__read", "b")));
	assert_string_equal(agent_progress_server(&t.progress)->name, "files"); /* is awaited */
	t = read_log(AGENT_LOG_CLAUDE, PROMPT("00") CALL("01", "1", "Bash", "a"));
	assert_null(agent_progress_server(&t.progress));
}

static void end_of_a_log(void **state)
{
	struct agent_tokens t = read_log(AGENT_LOG_CLAUDE,
		PROMPT("00") CALL("01", "1", "Bash", "secret") RESULT("02", "1", "secret", ""));
	struct buffer out = { 0 };
	static const char wanted[] = "10:00:00Z  prompt\0"
				     "10:00:01Z  answer, 1 token\0"
				     "10:00:01Z  calls Bash\0"
				     "10:00:02Z  result of Bash";

	(void)state;
	agent_progress_write_events(&out, &t.progress);
	assert_int_equal(out.size, sizeof(wanted));
	assert_memory_equal(out.data, wanted, sizeof(wanted));
	buffer_fini(&out);
}

/* Codex starts its sums again, and a later line of an answer may have less than an earlier one. */
static void sums_that_fall(void **state)
{
	struct agent_tokens t = read_log(AGENT_LOG_CODEX,
		CODEX("5000", "500") "{\"type\":\"event_msg\"," AT(
			"00") ",\"payload\":{\"type\":\"task_started\"}}\n" CODEX("50", "5")
			CODEX("90", "9"));
	static const char wanted[] = "  answer, 500 tokens\0"
				     "10:00:00Z  prompt\0"
				     "  answer, 0 tokens\0"
				     "  answer, 4 tokens";
	struct buffer out = { 0 };

	(void)state;
	assert_int_equal(t.progress.now.turns - t.progress.at_effect.turns, 2);
	assert_int_equal(t.progress.now.input - t.progress.at_effect.input, 40);
	assert_int_equal(t.progress.now.output - t.progress.at_effect.output, 4);
	agent_progress_write_events(&out, &t.progress);
	assert_int_equal(out.size, sizeof(wanted));
	assert_memory_equal(out.data, wanted, sizeof(wanted));
	buffer_fini(&out);
	t = read_log(AGENT_LOG_CLAUDE,
		CLAUDE("m1", "x", "3", "17") PROMPT("00") CLAUDE("m1", "x", "1", "7"));
	assert_int_equal(t.progress.now.input - t.progress.at_effect.input, 0);
	assert_int_equal(t.progress.now.output - t.progress.at_effect.output, 0);
}

static void tokens_of_minutes(void **state)
{
	struct agent_tokens t = read_log(AGENT_LOG_CLAUDE,
		PROMPT("00") CALL("01", "1", "Bash", "a") CALL("02", "2", "Bash", "b"));
	uint64_t begin = agent_json_utc_of(span_of_string("2026-11-20T10:00:00Z"));

	(void)state;
	assert_int_equal(agent_tokens_a_minute(&t, begin), 202 / 5);
	assert_int_equal(agent_tokens_a_minute(&t, begin + 299000000000u), 202 / 5);
	assert_int_equal(agent_tokens_a_minute(&t, begin + 300000000000u), 0);
	assert_int_equal(agent_tokens_a_minute(&t, begin - 1), 0); /* the clock was set back */
}

static void limits_of_codex(void **state)
{
	struct agent_tokens t = read_log(AGENT_LOG_CODEX,
		"{\"type\":\"event_msg\",\"payload\":{\"type\":\"token_count\",\"info\":{"
		"\"total_token_usage\":{\"input_tokens\":50,\"output_tokens\":5},"
		"\"last_token_usage\":{\"input_tokens\":50,\"output_tokens\":5},"
		"\"model_context_window\":272000},\"rate_limits\":{\"primary\":{"
		"\"used_percent\":12.5,\"window_minutes\":300,\"resets_at\":1700000000},"
		"\"secondary\":{\"used_percent\":31.0,\"resets_at\":1800000000},"
		"\"credits\":null,\"plan\":\"x\"}}}\n");

	(void)state;
	assert_int_equal(t.window, 272000);
	assert_true(t.has_quota);
	assert_true(t.quota_percent == 31.0);
	assert_int_equal(t.quota_resets_utc_ns, 1800000000000000000u);
	t = read_log(AGENT_LOG_CODEX, CODEX("50", "5"));
	assert_int_equal(t.window, 0);
	assert_false(t.has_quota);
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
		cmocka_unit_test(effects_of_answers),
		cmocka_unit_test(calls_of_servers),
		cmocka_unit_test(end_of_a_log),
		cmocka_unit_test(sums_that_fall),
		cmocka_unit_test(tokens_of_minutes),
		cmocka_unit_test(limits_of_codex),
		cmocka_unit_test(a_line_that_is_still_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

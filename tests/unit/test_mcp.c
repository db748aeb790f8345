/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of the Model Context Protocol, the commands of calls, and the length of answers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cli/mcp/answer.h"
#include "cli/mcp/message.h"
#include "cli/mcp/tools.h"

static int code_of(const char *line)
{
	struct mcp_message m;

	mcp_message_read(&m, span_of_string(line));
	mcp_message_fini(&m);
	return m.code;
}

static void test_messages(void **state)
{
	struct mcp_message m;

	(void)state;
	mcp_message_read(&m, span_of_string(" {\"id\":\"x-1\",\"jsonrpc\":\"2.0\",\"method\":"
					    "\"ping\",\"params\":{\"a\":1}}\r"));
	assert_int_equal(m.code, 0);
	assert_string_equal(mcp_text(m.id), "x-1");
	assert_string_equal(m.method, "ping");
	assert_int_equal(json_integer_value(json_object_get(m.params, "a")), 1);
	mcp_message_fini(&m);
	mcp_message_read(&m, span_of_string("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"));
	assert_true(m.is_reply && !m.code);
	mcp_message_fini(&m);
	assert_int_equal(code_of("{"), MCP_INVALID_JSON);
	assert_int_equal(code_of("[]"), MCP_INVALID_REQUEST);
	assert_int_equal(code_of("3"), MCP_INVALID_REQUEST);
	assert_int_equal(code_of("{\"id\":1,\"method\":\"ping\"}"), MCP_INVALID_REQUEST);
	assert_int_equal(code_of("{\"jsonrpc\":\"2.0\",\"id\":1}"), MCP_INVALID_REQUEST);
	assert_int_equal(code_of("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}"),
		MCP_INVALID_REQUEST);
	assert_int_equal(code_of("{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"ping\"}"),
		MCP_INVALID_REQUEST);
	assert_int_equal(
		code_of("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":1}"), MCP_INVALID_REQUEST);
	assert_int_equal(
		code_of("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}"),
		MCP_INVALID_ARGUMENTS);
}

/* The words behind "sooth", with blanks between; or "!" and the problem. */
static const char *words_of(const char *tool, const char *arguments)
{
	static char text[MCP_WORDS_MAX * MCP_WORD_ROOM];
	char problem[MCP_PROBLEM_MAX];
	struct mcp_command command;
	json_t *object = json_loads(arguments, JSON_ALLOW_NUL, NULL);
	size_t size = 0;

	bool is_made = mcp_tool_command(&command, tool, object, problem);

	json_decref(object);
	if (!is_made) {
		snprintf(text, sizeof(text), "!%s", problem);
		return text;
	}
	for (size_t i = 1; i < command.count; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%s", i > 1 ? " " : "",
			command.words[i]);
	return text;
}

static void test_commands(void **state)
{
	(void)state;
	assert_string_equal(words_of("why", "{\"pid\":4711}"), "why --pid=4711");
	assert_string_equal(words_of("why", ""), "why");
	assert_string_equal(words_of("why", "{\"session\":\"ab_c-9\"}"), "why --session=ab_c-9");
	assert_string_equal(words_of("diagnose", "{}"), "diagnose --duration=10");
	assert_string_equal(words_of("diagnose", "{\"seconds\":30,\"pid\":1}"),
		"diagnose --duration=30 --pid=1");
	assert_string_equal(words_of("calls", "{\"pid\":2147483647,\"seconds\":1}"),
		"trace --count --duration=1 --pid=2147483647");
	assert_string_equal(words_of("timeline", ""), "timeline --last=60m");
	assert_string_equal(words_of("timeline", "{\"minutes\":null}"), "timeline --last=60m");
	assert_string_equal(words_of("timeline", "{\"minutes\":5,\"session\":\"abcd\"}"),
		"timeline --last=5m abcd");
	assert_string_equal(
		words_of("timeline", "{\"seconds\":5,\"pid\":7}"), "timeline --duration=5 --pid=7");
}

static void test_refused(void **state)
{
	static const char *const values[] = { "0", "-1", "2147483648", "1.0", "1e3", "\"4711\"",
		"true", "[1]", "1e30" };
	static const char *const sessions[] = { "abc", "-abcd", "_abcd", "--all", "a/../b", "ab cd",
		"ab.sooth", "abcd\\n", "abcd\\u0000", "\xc3\xa4\xc3\xa4\xc3\xa4", "" };
	char arguments[64];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		snprintf(arguments, sizeof(arguments), "{\"pid\":%s}", values[i]);
		assert_int_equal(*words_of("why", arguments), '!');
	}
	for (size_t i = 0; i < sizeof(sessions) / sizeof(*sessions); i++) {
		snprintf(arguments, sizeof(arguments), "{\"session\":\"%s\"}", sessions[i]);
		assert_int_equal(*words_of("why", arguments), '!');
	}
	assert_int_equal(*words_of("kill", "{\"pid\":1}"), '!');
	assert_int_equal(*words_of("stack", ""), '!');
	assert_non_null(strstr(words_of("why", "{\"seconds\":1}"), "; it takes pid session"));
	assert_non_null(strstr(words_of("leftovers", "{\"x\":1}"), "; it takes none"));
	assert_int_equal(*words_of("leftovers", "{\"pid\":1}"), '!');
	assert_int_equal(*words_of("diagnose", "{\"seconds\":31}"), '!');
	assert_int_equal(*words_of("why", "{\"pid\":1,\"session\":\"abcd\"}"), '!');
	assert_int_equal(*words_of("timeline", "{\"seconds\":1,\"minutes\":1,\"pid\":1}"), '!');
}

static size_t count_words(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == ' ';
	return count;
}

/* A model has nothing but the descriptions: each is short, and none is missing. */
static void test_list(void **state)
{
	struct buffer out = { 0 };
	struct json j;
	json_t *list, *tool;
	size_t i;

	(void)state;
	json_init(&j, &out, 0);
	mcp_tools_emit(&j);
	list = json_loadb((const char *)out.data, out.size, 0, NULL);
	assert_int_equal(json_array_size(list), 7);
	json_array_foreach(list, i, tool)
	{
		const char *text = mcp_text(json_object_get(tool, "description"));

		assert_true(strlen(text) > 100);
		assert_true(count_words(text) <= 60);
	}
	json_decref(list);
	buffer_fini(&out);
}

/* --- answers --- */

static void add_lines(struct mcp_output *o, const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buffer_format(&o->text, "%s %zu\n", text, i);
		mcp_output_trim(o);
	}
}

static char *answer_of(struct mcp_output *o, struct buffer *out)
{
	mcp_answer_append(out, o, "sooth why");
	buffer_fini(&o->text);
	assert_true(out->size <= MCP_ANSWER_MAX);
	return (char *)(uintptr_t)buffer_cstr(out);
}

static void test_short_answers(void **state)
{
	struct mcp_output o = { 0 };
	struct buffer out = { 0 };

	(void)state;
	assert_string_equal(answer_of(&o, &out), "");
	add_lines(&o, "line", 3);
	assert_string_equal(answer_of(&o, &out), "line 0\nline 1\nline 2\n");
	buffer_fini(&out);
}

static void check_cut(size_t lines)
{
	struct mcp_output o = { 0 };
	struct buffer out = { 0 };
	size_t left_out = 0, shown = 0;
	char last[32];
	const char *text;

	add_lines(&o, "a row of a table", lines);
	buffer_string(&o.text, "\nnot measured: one thing\nnot measured: another\n");
	text = answer_of(&o, &out);
	assert_ptr_equal(strstr(text, "a row of a table 0\n"), text);
	assert_non_null(strstr(text, "]\nnot measured: one thing\nnot measured: another\n"));
	assert_int_equal(sscanf(strchr(text, '['), "[%zu lines left out", &left_out), 1);
	for (const char *at = text; (at = strstr(at, "a row")); at++)
		shown++;
	/* Every line is shown or counted, the blank one, too. */
	assert_int_equal(shown + left_out, lines + 1);
	snprintf(last, sizeof(last), "table %zu\n", shown - 1);
	assert_non_null(strstr(text, last));
	buffer_fini(&out);
}

static void test_long_answers(void **state)
{
	(void)state;
	check_cut(300);
	check_cut(20000);
}

static void test_one_paragraph(void **state)
{
	struct mcp_output o = { 0 };
	struct buffer out = { 0 };
	const char *text;

	(void)state;
	add_lines(&o, "a frame of a stack", 1000);
	text = answer_of(&o, &out);
	assert_non_null(strstr(text, "a frame of a stack 999\n"));
	assert_non_null(strstr(text, "lines left out here; all of it: `sooth why`]\na frame"));
	assert_true(out.size > MCP_ANSWER_MAX - 500);
	buffer_reset(&out);
	for (size_t i = 0; i < 9000; i++)
		buffer_char(&o.text, 'x');
	text = answer_of(&o, &out);
	assert_non_null(strstr(text, "x [the line goes on; all of it: `sooth why`]\n"));
	buffer_fini(&out);
}

/* A short table before the last paragraph stays with it: the errors of counted calls. */
static void test_last_paragraphs(void **state)
{
	struct mcp_output o = { 0 };
	struct buffer out = { 0 };
	const char *text;

	(void)state;
	add_lines(&o, "a row of a long table", 300);
	buffer_string(&o.text, "\nCALL ERROR\nopenat ETXTBSY\n\nnot measured: one thing\n");
	text = answer_of(&o, &out);
	assert_non_null(strstr(text, "lines left out here; all of it: `sooth why`]\nCALL ERROR\n"));
	assert_non_null(strstr(text, "\nopenat ETXTBSY\n\nnot measured: one thing\n"));
	assert_true(out.size <= MCP_ANSWER_MAX && out.size > MCP_ANSWER_MAX - 600);
	buffer_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_short_answers),
		cmocka_unit_test(test_long_answers),
		cmocka_unit_test(test_one_paragraph),
		cmocka_unit_test(test_last_paragraphs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

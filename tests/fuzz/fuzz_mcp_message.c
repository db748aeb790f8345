/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines to the server of `sooth mcp`: what it reads agrees with an independent checker of JSON,
 * each reply is JSON, and no word of a command comes from the line but numbers and ids. */
#include <string.h>

#include "../unit/json_check.h"
#include "cli/mcp/answer.h"
#include "cli/mcp/message.h"
#include "cli/mcp/tools.h"
#include "fuzz.h"

static void check_reply(const struct mcp_message *m)
{
	struct buffer out = { 0 };
	struct json j;

	mcp_reply_error(&out, m->id, m->code ? m->code : MCP_UNKNOWN_METHOD, m->method);
	CHECK(json_check((const char *)out.data, out.size, 1));
	CHECK(memchr(out.data, '\n', out.size) == out.data + out.size - 1);
	buffer_reset(&out);
	mcp_reply_begin(&j, &out, m->id);
	json_bool(&j, true);
	mcp_reply_end(&j);
	CHECK(!j.failed && json_check((const char *)out.data, out.size, 1));
	buffer_fini(&out);
}

/* Of an argument: digits, or an id behind its option. */
static void check_word(const char *word)
{
	static const char *const fixed[] = { "--columns=", "--filter=", "--tree", "--count" };
	static const char *const options[] = { "--pid=", "--session=", "--duration=", "--last=" };

	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++) {
		if (!strncmp(word, fixed[i], strlen(fixed[i])))
			return;
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (!strncmp(word, options[i], strlen(options[i]))) {
			word += strlen(options[i]);
			break;
		}
	}
	CHECK(*word && *word != '-');
	CHECK(strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
		strlen(word));
}

static void check_call(const json_t *params)
{
	json_t *arguments = json_object_get(params, "arguments");
	char problem[MCP_PROBLEM_MAX];
	struct mcp_command command;

	if (arguments && !json_is_object(arguments))
		return;
	if (!mcp_tool_command(
		    &command, mcp_text(json_object_get(params, "name")), arguments, problem)) {
		CHECK(problem[0] && strlen(problem) < MCP_PROBLEM_MAX);
		return;
	}
	CHECK(command.count >= 2 && command.count <= MCP_WORDS_MAX);
	CHECK(command.limit_ns < 60000000000ull);
	for (size_t i = 2; i < command.count; i++)
		check_word(command.words[i]);
}

static void check_answer(const uint8_t *data, size_t size)
{
	struct mcp_output output = { 0 };
	struct buffer out = { 0 };

	for (unsigned i = 0; i < 40; i++) {
		buffer_append(&output.text, data, size);
		mcp_output_trim(&output);
	}
	mcp_answer_append(&out, &output, "sooth why --pid=1");
	CHECK(out.size <= MCP_ANSWER_MAX);
	buffer_fini(&out);
	buffer_fini(&output.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *end = size ? memchr(data, '\n', size) : NULL;
	struct span line =
		span_of((const char *)data, end ? (size_t)(end - (const char *)data) : size);
	struct mcp_message m;

	mcp_message_read(&m, line);
	CHECK(!m.code || m.problem);
	check_reply(&m);
	if (m.params && !m.code)
		check_call(m.params);
	mcp_message_fini(&m);
	check_answer(data, size);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/mcp/message.h"

#include <assert.h>
#include <stdlib.h>

static void set_problem(struct mcp_message *m, enum mcp_code code, const char *problem)
{
	m->code = code;
	m->problem = problem;
}

const char *mcp_text(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && strlen(text) == json_string_length(value) ? text : "";
}

static void read_request(struct mcp_message *m)
{
	json_t *id = json_object_get(m->json, "id"), *method = json_object_get(m->json, "method");

	if (id && !json_is_string(id) && !json_is_number(id))
		return set_problem(
			m, MCP_INVALID_REQUEST, "the id is neither a string nor a number");
	if (json_string_length(id) > MCP_ID_MAX)
		return set_problem(m, MCP_INVALID_REQUEST, "the id is longer than 256 bytes");
	m->id = id;
	if (strcmp(mcp_text(json_object_get(m->json, "jsonrpc")), "2.0") != 0)
		return set_problem(m, MCP_INVALID_REQUEST, "jsonrpc is not \"2.0\"");
	m->is_reply = !method &&
		      (json_object_get(m->json, "result") || json_object_get(m->json, "error"));
	if (!json_is_string(method) && !m->is_reply)
		return set_problem(m, MCP_INVALID_REQUEST, "there is no method");
	m->method = mcp_text(method);
	m->params = json_object_get(m->json, "params");
	if (json_is_null(m->params)) /* some clients send it for none */
		m->params = NULL;
	if (m->params && !json_is_object(m->params))
		set_problem(m, MCP_INVALID_ARGUMENTS, "params is no object");
}

void mcp_message_read(struct mcp_message *m, struct span line)
{
	assert(m);
	*m = (struct mcp_message){ .method = "" };
	if (line.size > MCP_LINE_MAX)
		return set_problem(m, MCP_INVALID_REQUEST, "the line is longer than 1 MiB");
	if (json_is_shallow(line.data, line.size, MCP_DEPTH_MAX))
		m->json = json_loadb(line.data, line.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (!m->json)
		set_problem(m, MCP_INVALID_JSON, "the line is no valid JSON");
	else if (json_is_array(m->json))
		set_problem(
			m, MCP_INVALID_REQUEST, "batches are not supported: one message a line");
	else if (!json_is_object(m->json))
		set_problem(m, MCP_INVALID_REQUEST, "the message is no object");
	else
		read_request(m);
}

void mcp_message_fini(struct mcp_message *m)
{
	assert(m);
	json_decref(m->json);
}

static void begin_reply(struct json *j, struct buffer *out, const json_t *id)
{
	char *text = json_dumps(id, JSON_ENCODE_ANY | JSON_COMPACT);

	json_init(j, out, 0);
	json_format(j, "{'jsonrpc':'2.0','id':");
	if (text)
		json_written(j, text, strlen(text));
	else
		json_nothing(j);
	free(text);
}

void mcp_reply_begin(struct json *j, struct buffer *out, const json_t *id)
{
	begin_reply(j, out, id);
	json_key(j, "result");
}

void mcp_reply_end(struct json *j)
{
	assert(j);
	json_end(j);
	buffer_char(j->out, '\n');
}

void mcp_reply_error(struct buffer *out, const json_t *id, enum mcp_code code, const char *problem)
{
	struct json j;

	begin_reply(&j, out, id);
	json_format(&j, "'error':{'code':%d,'message':%s}", (int)code, problem);
	mcp_reply_end(&j);
}

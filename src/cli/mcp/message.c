/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/mcp/message.h"

#include <assert.h>

#include "base/json_scan.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

struct span mcp_message_strip(struct span line)
{
	while (line.size && is_blank(*line.data))
		line = span_of(line.data + 1, line.size - 1);
	return line;
}

static void set_problem(struct mcp_message *m, enum mcp_code code, const char *problem)
{
	m->code = code;
	m->problem = problem;
}

/* Keeps the id if a reply may have it. */
static void read_id(struct mcp_message *m, struct span id)
{
	enum json_kind kind = json_scan_kind(id);

	if (kind == JSON_ABSENT)
		return;
	if (kind != JSON_STRING && kind != JSON_NUMBER)
		set_problem(m, MCP_INVALID_REQUEST, "the id is neither a string nor a number");
	else if (id.size > MCP_ID_MAX)
		set_problem(m, MCP_INVALID_REQUEST, "the id is longer than 256 bytes");
	else
		m->id = id;
}

static bool is_version_2(struct span object)
{
	char version[8];

	return json_scan_word(json_scan_member(object, "jsonrpc"), version, sizeof(version)) &&
	       !strcmp(version, "2.0");
}

static void read_request(struct mcp_message *m, struct span object)
{
	struct span method = json_scan_member(object, "method");

	if (!is_version_2(object))
		return set_problem(m, MCP_INVALID_REQUEST, "jsonrpc is not \"2.0\"");
	if (json_scan_kind(method) == JSON_ABSENT) {
		m->is_reply = json_scan_member(object, "result").size ||
			      json_scan_member(object, "error").size;
		if (!m->is_reply)
			set_problem(m, MCP_INVALID_REQUEST, "there is no method");
		return;
	}
	if (json_scan_kind(method) != JSON_STRING)
		return set_problem(m, MCP_INVALID_REQUEST, "the method is no string");
	if (!json_scan_word(method, m->method, sizeof(m->method)))
		m->method[0] = '\0';
	m->params = json_scan_member(object, "params");
	if (m->params.size && json_scan_kind(m->params) != JSON_OBJECT)
		set_problem(m, MCP_INVALID_ARGUMENTS, "params is no object");
}

void mcp_message_read(struct mcp_message *m, struct span line)
{
	struct span text = mcp_message_strip(line);

	assert(m);
	*m = (struct mcp_message){ .id = span_of("", 0), .params = span_of("", 0) };
	if (!json_scan_check(text))
		return set_problem(m, MCP_INVALID_JSON, "the line is no valid JSON");
	if (json_scan_kind(text) == JSON_ARRAY)
		return set_problem(
			m, MCP_INVALID_REQUEST, "batches are not supported: one message a line");
	if (json_scan_kind(text) != JSON_OBJECT)
		return set_problem(m, MCP_INVALID_REQUEST, "the message is no object");
	read_id(m, json_scan_member(text, "id"));
	if (!m->code)
		read_request(m, text);
}

static void begin_reply(struct json *j, struct buffer *out, struct span id)
{
	json_init(j, out, 0);
	json_format(j, "{'jsonrpc':'2.0','id':");
	if (id.size)
		json_written(j, id.data, id.size);
	else
		json_nothing(j);
}

void mcp_reply_begin(struct json *j, struct buffer *out, struct span id)
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

void mcp_reply_error(struct buffer *out, struct span id, enum mcp_code code, const char *problem)
{
	struct json j;

	begin_reply(&j, out, id);
	json_format(&j, "'error':{'code':%d,'message':%s}", (int)code, problem);
	mcp_reply_end(&j);
}

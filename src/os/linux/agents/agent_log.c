/* SPDX-License-Identifier: BSD-2-Clause */
/* Session files and logs of agents. */
#include "os/linux/agents/agent_log.h"

#include <string.h>

#include "os/linux/agents/agent_json.h"

bool agent_session_info_parse(struct agent_session_info *info, const struct agent_files *files,
	const void *data, size_t size)
{
	_cleanup_json_ json_t *json = agent_json_object(data, size);

	*info = (struct agent_session_info){ 0 };
	if (!json ||
		!agent_json_word(json, files->session_key, info->session, sizeof(info->session)))
		return false;
	agent_json_word(json, files->status_key, info->status, sizeof(info->status));
	agent_json_word(json, files->version_key, info->version, sizeof(info->version));
	agent_json_words(json, files->waiting_key, info->waiting, sizeof(info->waiting));
	info->changed_utc_ns = agent_json_utc_ns(json, files->changed_key);
	info->has_start_ticks = agent_json_number(json, files->start_key, &info->start_ticks);
	if (!info->has_start_ticks)
		info->start_utc_ns = agent_json_utc_ns(json, files->start_key);
	return true;
}

/* --- a line of a log --- */

static bool keep(struct agent_tool *tool, const json_t *call, const json_t *dated)
{
	if (!agent_json_word(call, "name", tool->name, sizeof(tool->name)))
		return false;
	tool->utc_ns = agent_json_utc_ns(dated, "timestamp");
	return true;
}

/* {"type": "assistant", "timestamp": …, "message": {"content": [{"type": "tool_use", "name": …}]}}
 */
static bool claude_call(struct agent_tool *tool, const json_t *line)
{
	const json_t *content = json_object_get(json_object_get(line, "message"), "content");

	if (!agent_json_is(line, "type", "assistant"))
		return false;
	for (size_t i = json_array_size(content); i-- > 0;) {
		const json_t *part = json_array_get(content, i);

		if (agent_json_is(part, "type", "tool_use") && keep(tool, part, line))
			return true;
	}
	return false;
}

/* {"timestamp": …, "type": "response_item", "payload": {"type": "function_call", "name": …}} */
static bool codex_call(struct agent_tool *tool, const json_t *line)
{
	const json_t *payload = json_object_get(line, "payload");

	if (!agent_json_is(line, "type", "response_item"))
		return false;
	if (agent_json_is(payload, "type", "function_call") ||
		agent_json_is(payload, "type", "custom_tool_call"))
		return keep(tool, payload, line);
	if (!agent_json_is(payload, "type", "local_shell_call"))
		return false;
	/* It has no name: the kind of call is the tool. */
	strcpy(tool->name, "local_shell");
	tool->utc_ns = agent_json_utc_ns(line, "timestamp");
	return true;
}

/* {"type": "gemini", "toolCalls": [{"name": …, "timestamp": …}]} */
static bool gemini_call(struct agent_tool *tool, const json_t *line)
{
	const json_t *calls = json_object_get(line, "toolCalls");

	for (size_t i = json_array_size(calls); i-- > 0;) {
		const json_t *call = json_array_get(calls, i);

		if (keep(tool, call, call))
			return true;
	}
	return false;
}

static const struct log_kind {
	/* Lines without it are not parsed: most of a log is something else, and long. */
	const char *mark;
	bool (*call)(struct agent_tool *tool, const json_t *line);
} kinds[] = {
	[AGENT_LOG_NONE] = { NULL, NULL },
	[AGENT_LOG_CLAUDE] = { "\"tool_use\"", claude_call },
	[AGENT_LOG_CODEX] = { "_call\"", codex_call },
	[AGENT_LOG_GEMINI] = { "\"toolCalls\"", gemini_call },
	[AGENT_LOG_OPENCODE] = { NULL, NULL },
};

static bool line_call(struct agent_tool *tool, const struct log_kind *kind, struct span line)
{
	_cleanup_json_ json_t *json = NULL;

	if (!span_contains(line, kind->mark))
		return false;
	json = agent_json_object(line.data, line.size);
	*tool = (struct agent_tool){ 0 };
	return json && kind->call(tool, json);
}

bool agent_log_last_tool(
	struct agent_tool *tool, enum agent_log kind, const void *data, size_t size, bool is_cut)
{
	const char *begin = data, *end = size ? memrchr(begin, '\n', size) : NULL;
	struct agent_tool found;

	if (!kinds[kind].mark)
		return false;
	while (end) {
		const char *before =
			end > begin ? memrchr(begin, '\n', (size_t)(end - begin)) : NULL;
		const char *line = before ? before + 1 : begin;

		if (!before && is_cut)
			return false;
		if (line_call(&found, &kinds[kind], span_of(line, (size_t)(end - line)))) {
			*tool = found;
			return true;
		}
		end = before;
	}
	return false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Session files and logs of agents. */
#include "os/agent_logs/agent_turn.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "recognize/agent.h"
#include "recognize/agent_path.h"
#include "base/cleanup.h"
#include "os/agent_logs/agent_json.h"
#include "os/agent_logs/agent_repeats.h"
#include "probes/proc.h"

/* --- sessions, and the last tool --- */

bool agent_session_info_parse(struct agent_session_info *info, const struct agent_files *files,
	const void *data, size_t size)
{
	_cleanup_json_ json_t *json = agent_json_object(data, size);

	assert(info);
	assert(files);
	*info = (struct agent_session_info){ 0 };
	if (!json ||
		!agent_json_word(json, files->session_key, info->session, sizeof(info->session)))
		return false;
	agent_json_word(json, files->status_key, info->status, sizeof(info->status));
	if (files->spare_key && json_is_true(json_object_get(json, files->spare_key)))
		snprintf(info->status, sizeof(info->status), "spare");
	agent_json_word(json, files->version_key, info->version, sizeof(info->version));
	agent_json_words(json, files->waiting_key, info->waiting, sizeof(info->waiting));
	agent_json_word(json, files->job_key, info->job, sizeof(info->job));
	info->changed_utc_ns = agent_json_utc_ns(json, files->changed_key);
	info->has_start_ticks = agent_json_number(json, files->start_key, &info->start_ticks);
	if (!info->has_start_ticks)
		info->start_utc_ns = agent_json_utc_ns(json, files->start_key);
	return true;
}

/* --- a line of a log --- */

static bool read_tool(struct agent_tool *tool, const json_t *call, const json_t *dated)
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

		if (agent_json_is(part, "type", "tool_use") && read_tool(tool, part, line))
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
		return read_tool(tool, payload, line);
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

		if (read_tool(tool, call, call))
			return true;
	}
	return false;
}

static const struct tool_kind {
	/* Lines without it are not parsed: most of a log is something else, and long. */
	const char *mark;
	bool (*call)(struct agent_tool *tool, const json_t *line);
} tool_kinds[] = {
	[AGENT_LOG_NONE] = { NULL, NULL },
	[AGENT_LOG_CLAUDE] = { "\"tool_use\"", claude_call },
	[AGENT_LOG_CODEX] = { "_call\"", codex_call },
	[AGENT_LOG_GEMINI] = { "\"toolCalls\"", gemini_call },
	[AGENT_LOG_OPENCODE] = { NULL, NULL },
};

static bool line_call(struct agent_tool *tool, const struct tool_kind *kind, struct span line)
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
	const char *begin = data, *end = span_last(span_of(data, size), '\n');
	struct agent_tool found;

	if (!tool_kinds[kind].mark)
		return false;
	while (end) {
		const char *before = span_last(span_of(begin, (size_t)(end - begin)), '\n');
		const char *line = before ? before + 1 : begin;

		if (!before && is_cut)
			return false;
		if (line_call(&found, &tool_kinds[kind], span_of(line, (size_t)(end - line)))) {
			*tool = found;
			return true;
		}
		end = before;
	}
	return false;
}

#define CALLS_MAX    16 /* open at the same time; more are ignored */
#define ATTEMPTS_MAX 1000
#define STATUS_MAX   999

struct open_call {
	char id[AGENT_ID_MAX + 1];
	char name[AGENT_TOOL_MAX + 1];
	uint64_t utc_ns;
	uint64_t key; /* of name and arguments */
	char asked[AGENT_TASK_MAX + 1];
};

struct reading {
	struct agent_turn turn;
	struct agent_repeats repeats;
	struct open_call open[CALLS_MAX];
	size_t count;
	uint32_t queued;   /* prompts */
	uint32_t requests; /* to the model, since the last line of the conversation */
};

static void set_turn(struct reading *r, enum proc_turn of, uint64_t utc_ns)
{
	r->turn.of = (uint8_t)of;
	r->turn.utc_ns = utc_ns;
	r->turn.attempts = 0;
	r->turn.error_status = 0;
}

static void begin_turn(struct reading *r, enum proc_turn of, uint64_t utc_ns)
{
	r->repeats = (struct agent_repeats){ 0 };
	r->turn.repeats = 0;
	r->count = 0;
	set_turn(r, of, utc_ns);
}

/* Codex has the server of an MCP call beside it: "namespace": "mcp__files". The result is named as
 * Claude Code does it: "mcp__files__read". */
void agent_turn_name_call(char name[AGENT_TOOL_MAX + 1], const json_t *call)
{
	char namespace[AGENT_TOOL_MAX + 1], tool[AGENT_TOOL_MAX + 1];
	struct span server;
	int size = 0;

	assert(name);
	agent_json_word(call, "name", tool, sizeof(tool));
	if (agent_json_word(call, "namespace", namespace, sizeof(namespace)) &&
		agent_mcp_server(span_of_string(namespace), &server))
		size = snprintf(name, AGENT_TOOL_MAX + 1, "%s__", namespace);
	if (size <= AGENT_TOOL_MAX)
		snprintf(name + size, AGENT_TOOL_MAX + 1 - (size_t)size, "%.*s",
			AGENT_TOOL_MAX - size, tool);
}

/* Writes the command, or the file, that the arguments of a call name. Codex has them as text. */
static void write_asked(char asked[AGENT_TASK_MAX + 1], const json_t *call)
{
	static const char *const keys[] = { "command", "cmd", "file_path", "path", "url" };
	const json_t *input = json_object_get(call, "input");
	const char *text = json_string_value(json_object_get(call, "arguments"));
	_cleanup_json_ json_t *parsed = text ? agent_json_object(text, strlen(text)) : NULL;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const json_t *value = json_object_get(parsed ? parsed : input, keys[i]);

		/* The last word of ["bash", "-lc", "make test"] is the command. */
		if (json_array_size(value))
			value = json_array_get(value, json_array_size(value) - 1);
		if (json_string_length(value)) {
			agent_task_write(asked, json_string_value(value));
			return;
		}
	}
}

static void open_call(struct reading *r, const json_t *call, const char *id_key, uint64_t utc_ns)
{
	struct open_call one = { .utc_ns = utc_ns, .key = agent_call_key(call) };

	if (r->count == CALLS_MAX || !agent_json_word(call, id_key, one.id, sizeof(one.id)))
		return;
	agent_turn_name_call(one.name, call);
	write_asked(one.asked, call);
	r->open[r->count++] = one;
	set_turn(r, PROC_TURN_TOOL, r->open[0].utc_ns);
}

/* Keeps that the call has a result; `key`: of both. */
static void add_repeat(
	struct reading *r, const struct open_call *call, uint64_t key, uint64_t utc_ns)
{
	struct agent_turn *t = &r->turn;

	agent_repeats_add(&r->repeats, key, call->utc_ns);
	t->repeats = agent_repeats_times(&r->repeats, &t->repeated_calls, &t->repeats_since_utc_ns);
	t->repeats_until_utc_ns = utc_ns;
	memcpy(t->repeated, call->name, sizeof(t->repeated));
}

static void close_call(struct reading *r, const json_t *result, const char *id_key, uint64_t utc_ns)
{
	char id[AGENT_ID_MAX + 1];
	size_t i = 0;

	if (!agent_json_word(result, id_key, id, sizeof(id)))
		return;
	while (i < r->count && strcmp(r->open[i].id, id))
		i++;
	if (i < r->count)
		add_repeat(r, &r->open[i], r->open[i].key ^ agent_result_key(result), utc_ns);
	if (i < r->count)
		memmove(&r->open[i], &r->open[i + 1], (--r->count - i) * sizeof(*r->open));
	if (r->count)
		set_turn(r, PROC_TURN_TOOL, r->open[0].utc_ns);
	else
		set_turn(r, PROC_TURN_MODEL, utc_ns);
}

/* --- Claude Code --- */

/* A line that Claude Code writes itself, about a command of its own, is no prompt. */
static bool is_own_text(const char *text)
{
	static const char *const begins[] = { "<command-", "<local-command", "<bash-" };

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
		if (text && !strncmp(text, begins[i], strlen(begins[i])))
			return true;
	}
	return false;
}

static const char *first_text(const json_t *content)
{
	const json_t *part;
	size_t i;

	if (json_is_string(content))
		return json_string_value(content);
	json_array_foreach(content, i, part)
	{
		if (agent_json_is(part, "type", "text"))
			return json_string_value(json_object_get(part, "text"));
	}
	return NULL;
}

static bool is_interruption(const json_t *content)
{
	static const char begin[] = "[Request interrupted";
	const char *text = first_text(content);

	return text && !strncmp(text, begin, sizeof(begin) - 1);
}

bool agent_turn_is_prompt(const json_t *line)
{
	const json_t *content = json_object_get(json_object_get(line, "message"), "content");
	const json_t *part;
	size_t i;

	json_array_foreach(content, i, part)
	{
		if (agent_json_is(part, "type", "tool_result"))
			return false;
	}
	return agent_json_is(line, "type", "user") && !is_interruption(content) &&
	       !json_is_true(json_object_get(line, "isMeta")) && !is_own_text(first_text(content));
}

static void claude_user(struct reading *r, const json_t *line, const json_t *content, uint64_t utc)
{
	const json_t *part;
	size_t i;

	json_array_foreach(content, i, part)
	{
		if (!agent_json_is(part, "type", "tool_result"))
			continue;
		close_call(r, part, "tool_use_id", utc);
	}
	if (is_interruption(content))
		begin_turn(r, PROC_TURN_USER, utc);
	else if (agent_turn_is_prompt(line))
		begin_turn(r, PROC_TURN_MODEL, utc);
}

/* Each part of an answer is a line: a thought or a text before a call does not end it. */
static void claude_assistant(
	struct reading *r, const json_t *message, const json_t *content, uint64_t utc)
{
	const json_t *part;
	bool has_call = false;
	size_t i;

	json_array_foreach(content, i, part)
	{
		if (!agent_json_is(part, "type", "tool_use"))
			continue;
		open_call(r, part, "id", utc);
		has_call = true;
	}
	if (!has_call && !r->count && first_text(content) &&
		!agent_json_is(message, "stop_reason", "tool_use"))
		begin_turn(r, PROC_TURN_USER, utc);
}

static void claude_error(struct reading *r, const json_t *line)
{
	const json_t *error = json_object_get(line, "error");
	uint64_t retry, status;

	if (!agent_json_number(line, "retryAttempt", &retry) || !retry || retry >= ATTEMPTS_MAX)
		return;
	r->turn.attempts = (uint32_t)retry + 1;
	r->turn.error_status = 0;
	if (agent_json_number(error, "status", &status) && status <= STATUS_MAX)
		r->turn.error_status = (uint16_t)status;
}

/* One line for each attempt, with the same prompt; nothing else is written between them. */
static void claude_request(struct reading *r, uint64_t utc)
{
	if (r->requests < ATTEMPTS_MAX)
		r->requests++;
	if (r->turn.of == PROC_TURN_UNKNOWN)
		set_turn(r, PROC_TURN_MODEL, utc);
	if (r->turn.of == PROC_TURN_MODEL && r->requests > 1 && r->turn.attempts < r->requests)
		r->turn.attempts = r->requests;
}

/* A prompt that is typed while the agent works is kept in a queue. */
static void claude_queue(struct reading *r, const json_t *line, uint64_t utc)
{
	if (agent_json_is(line, "operation", "enqueue")) {
		r->turn.queued_utc_ns = r->queued++ ? r->turn.queued_utc_ns : utc;
		return;
	}
	r->queued -= r->queued > 0;
	if (agent_json_is(line, "operation", "popAll"))
		r->queued = 0;
	r->turn.queued_utc_ns = r->queued ? utc : 0; /* at least since then */
}

static void claude_line(struct reading *r, const json_t *line)
{
	const json_t *message = json_object_get(line, "message");
	const json_t *content = json_object_get(message, "content");
	uint64_t utc = agent_json_utc_ns(line, "timestamp");

	if (json_is_true(json_object_get(line, "isSidechain"))) /* of a subagent */
		return;
	/* The conversation at a terminal, and `claude -p`; others are titles and the like. */
	if (agent_json_is(line, "type", "api-request") &&
		(agent_json_is(line, "querySource", "repl_main_thread") ||
			agent_json_is(line, "querySource", "sdk"))) {
		claude_request(r, utc);
		return;
	}
	if (agent_json_is(line, "type", "queue-operation"))
		claude_queue(r, line, utc);
	if (agent_json_is(line, "type", "user") || agent_json_is(line, "type", "assistant"))
		r->requests = 0;
	if (agent_json_is(line, "type", "user"))
		claude_user(r, line, content, utc);
	else if (agent_json_is(line, "type", "assistant"))
		claude_assistant(r, message, content, utc);
	else if (agent_json_is(line, "subtype", "api_error"))
		claude_error(r, line);
}

/* --- Codex --- */

static void codex_event(struct reading *r, const json_t *payload, uint64_t utc)
{
	if (agent_json_is(payload, "type", "task_started"))
		begin_turn(r, PROC_TURN_MODEL, utc);
	else if (agent_json_is(payload, "type", "task_complete") ||
		 agent_json_is(payload, "type", "turn_aborted"))
		begin_turn(r, PROC_TURN_USER, utc);
}

static void codex_line(struct reading *r, const json_t *line)
{
	const json_t *payload = json_object_get(line, "payload");
	uint64_t utc = agent_json_utc_ns(line, "timestamp");

	if (agent_json_is(line, "type", "event_msg"))
		codex_event(r, payload, utc);
	else if (!agent_json_is(line, "type", "response_item"))
		return;
	else if (agent_json_is(payload, "type", "function_call") ||
		 agent_json_is(payload, "type", "custom_tool_call") ||
		 agent_json_is(payload, "type", "local_shell_call"))
		open_call(r, payload, "call_id", utc);
	else if (agent_json_is(payload, "type", "function_call_output") ||
		 agent_json_is(payload, "type", "custom_tool_call_output"))
		close_call(r, payload, "call_id", utc);
}

/* --- Gemini: a call is in the log only once it has its result --- */

bool agent_turn_is_result(const json_t *line)
{
	return json_object_get(json_array_get(json_object_get(line, "content"), 0),
		       "functionResponse") != NULL;
}

static void gemini_calls(struct reading *r, const json_t *calls, uint64_t utc)
{
	struct open_call one = { .utc_ns = utc };
	const json_t *call;
	size_t i;

	json_array_foreach(calls, i, call)
	{
		agent_turn_name_call(one.name, call);
		add_repeat(r, &one, agent_whole_call_key(call), utc);
	}
	set_turn(r, PROC_TURN_MODEL, utc);
}

static void gemini_line(struct reading *r, const json_t *line)
{
	const char *content = json_string_value(json_object_get(line, "content"));
	const json_t *calls = json_object_get(line, "toolCalls");
	uint64_t utc = agent_json_utc_ns(line, "timestamp");

	if (agent_json_is(line, "type", "user") && !agent_turn_is_result(line))
		begin_turn(r, PROC_TURN_MODEL, utc);
	else if (agent_json_is(line, "type", "user"))
		set_turn(r, PROC_TURN_MODEL, utc);
	else if (!agent_json_is(line, "type", "gemini"))
		return;
	else if (json_array_size(calls))
		gemini_calls(r, calls, utc);
	else
		set_turn(r, content && *content ? PROC_TURN_USER : PROC_TURN_TOOL, utc);
}

/* --- lines --- */

static const struct log_kind {
	const char *marks[AGENT_MARKS_MAX]; /* of lines that matter */
	void (*line)(struct reading *r, const json_t *line);
} kinds[] = {
	[AGENT_LOG_NONE] = { { NULL }, NULL },
	[AGENT_LOG_CLAUDE] = { { "\"user\"", "\"assistant\"", "\"api_error\"", "\"api-request\"",
				       "\"queue-operation\"" },
		claude_line },
	[AGENT_LOG_CODEX] = { { "\"event_msg\"", "_call" }, codex_line },
	[AGENT_LOG_GEMINI] = { { "\"user\"", "\"gemini\"" }, gemini_line },
	[AGENT_LOG_OPENCODE] = { { NULL }, NULL },
};

static void take_line(struct reading *r, const struct log_kind *kind, struct span line)
{
	_cleanup_json_ json_t *json = agent_json_marked(line, kind->marks);

	if (json)
		kind->line(r, json);
}

bool agent_turn_read(
	struct agent_turn *turn, enum agent_log kind, const void *data, size_t size, bool is_cut)
{
	const char *at = data, *end = at + size;
	struct reading r = { 0 };

	assert(turn);
	while (kinds[kind].line && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		if (!newline) /* it is still being written */
			break;
		if (!is_cut)
			take_line(&r, &kinds[kind], span_of(at, (size_t)(newline - at)));
		is_cut = false;
		at = newline + 1;
	}
	*turn = r.turn;
	if (r.count) {
		memcpy(turn->call, r.open[0].name, sizeof(turn->call));
		memcpy(turn->asked, r.open[0].asked, sizeof(turn->asked));
	}
	return turn->of != PROC_TURN_UNKNOWN;
}

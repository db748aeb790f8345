/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/agent_logs/agent_progress.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/units.h"
#include "os/agent_logs/agent_repeats.h"
#include "os/agent_logs/agent_turn.h"
#include "recognize/agent_path.h"

static uint64_t id_of(const json_t *object, const char *key)
{
	const char *id = json_string_value(json_object_get(object, key));

	return id ? hash_bytes(HASH_BEGIN, id, strlen(id)) | 1 : 0;
}

static void add_event(struct agent_progress *p, const struct agent_event *event)
{
	p->events[p->event_count++ % AGENT_EVENTS_MAX] = *event;
}

static void add_tool_event(
	struct agent_progress *p, uint64_t utc_ns, int kind, const char tool[AGENT_SERVER_MAX + 1])
{
	struct agent_event event = { .utc_ns = utc_ns, .kind = kind };

	memcpy(event.tool, tool, sizeof(event.tool));
	add_event(p, &event);
}

static void write_event(struct buffer *out, const struct agent_event *event)
{
	static const char *const words[] = { [AGENT_PROMPT] = "prompt",
		[AGENT_ANSWER] = "answer",
		[AGENT_CALL] = "calls",
		[AGENT_RESULT] = "result of",
		[AGENT_ERROR] = "error of" };
	time_t s = (time_t)(event->utc_ns / NS_PER_S);
	char clock[16] = "";
	struct tm tm;

	if (s && gmtime_r(&s, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%SZ", &tm);
	buffer_format(out, "%s  %s", clock, words[event->kind]);
	if (event->tool[0])
		buffer_format(out, " %s", event->tool);
	if (event->kind == AGENT_ANSWER)
		buffer_format(out, ", %llu token%s", (unsigned long long)event->tokens,
			event->tokens == 1 ? "" : "s");
	buffer_char(out, '\0');
}

void agent_progress_write_events(struct buffer *out, const struct agent_progress *p)
{
	assert(p);

	size_t first = p->event_count > AGENT_EVENTS_MAX ? p->event_count - AGENT_EVENTS_MAX : 0;

	for (size_t i = first; i < p->event_count; i++)
		write_event(out, &p->events[i % AGENT_EVENTS_MAX]);
}

static void have_effect(struct agent_progress *p, uint64_t utc_ns)
{
	p->effect_utc_ns = utc_ns;
	p->at_effect = p->now;
	p->calls = 0;
}

static void take_prompt(struct agent_progress *p, uint64_t utc_ns)
{
	have_effect(p, utc_ns);
	p->prompt_utc_ns = utc_ns;
	p->turns_at_prompt = p->now.turns;
	memset(p->results, 0, sizeof(p->results));
	memset(p->open, 0, sizeof(p->open));
}

static void take_users_prompt(struct agent_progress *p, uint64_t utc_ns)
{
	take_prompt(p, utc_ns);
	add_event(p, &(struct agent_event){ .utc_ns = utc_ns, .kind = AGENT_PROMPT });
}

/* --- MCP servers --- */

/* Returns the number of the server of "mcp__SERVER__TOOL", from 1; 0: none, or too many. */
static uint8_t server_of(struct agent_progress *p, const char *tool)
{
	struct span name;

	if (!agent_mcp_server(span_of_string(tool), &name) || !name.size ||
		name.size > AGENT_SERVER_MAX)
		return 0;
	for (uint8_t i = 0; i < AGENT_SERVERS_MAX; i++) {
		char *known = p->servers[i].name;

		if (!*known)
			snprintf(known, AGENT_SERVER_MAX + 1, "%.*s", SPAN_ARGS(name));
		if (span_equal(name, known))
			return (uint8_t)(i + 1);
	}
	return 0;
}

static void count_answer(struct agent_server_use *s, uint64_t ns, bool is_error)
{
	s->calls++;
	s->errors += is_error;
	s->total_ns += ns;
	if (ns > s->longest_ns)
		s->longest_ns = ns;
}

/* Compares the trouble: the share of errors first, then the mean time. */
static bool is_worse(const struct agent_server_use *a, const struct agent_server_use *b)
{
	double errors = (double)a->errors * b->calls - (double)b->errors * a->calls;

	if (errors != 0)
		return errors > 0;
	return (double)a->total_ns * b->calls > (double)b->total_ns * a->calls;
}

const struct agent_server_use *agent_progress_server(const struct agent_progress *p)
{
	const struct agent_server_use *worst = NULL;

	assert(p);
	for (size_t i = 0; i < AGENT_OPEN_MAX; i++) {
		if (p->open[i].id && p->open[i].server)
			return &p->servers[p->open[i].server - 1];
	}
	for (size_t i = 0; i < AGENT_SERVERS_MAX && p->servers[i].name[0]; i++) {
		if (!worst || is_worse(&p->servers[i], worst))
			worst = &p->servers[i];
	}
	return worst;
}

/* --- calls and results --- */

static void take_call(
	struct agent_progress *p, const json_t *call, const char *id_key, uint64_t utc_ns)
{
	char name[AGENT_TOOL_MAX + 1];
	uint64_t id = id_of(call, id_key);

	if (p->calls < UINT32_MAX)
		p->calls++;
	for (size_t i = 0; id && i < AGENT_OPEN_MAX; i++) {
		if (p->open[i].id)
			continue;
		agent_turn_name_call(name, call);
		p->open[i].id = id;
		p->open[i].key = agent_call_key(call);
		p->open[i].utc_ns = utc_ns;
		p->open[i].server = server_of(p, name);
		snprintf(p->open[i].tool, sizeof(p->open[i].tool), "%.*s", AGENT_SERVER_MAX, name);
		add_tool_event(p, utc_ns, AGENT_CALL, p->open[i].tool);
		return;
	}
}

/* Returns whether the result was not there before, and remembers it. */
static bool is_new(struct agent_progress *p, uint64_t key)
{
	for (size_t i = 0; i < AGENT_RESULTS_MAX; i++) {
		if (p->results[i] == key)
			return false;
	}
	p->results[p->next++ % AGENT_RESULTS_MAX] = key;
	return true;
}

/* An error of several calls is one: what it says counts, not which call it answers. */
static void take_result(
	struct agent_progress *p, const json_t *result, const char *id_key, uint64_t utc_ns)
{
	uint64_t id = id_of(result, id_key), key = agent_result_key(result);
	bool is_error = json_is_true(json_object_get(result, "is_error"));

	for (size_t i = 0; id && i < AGENT_OPEN_MAX; i++) {
		uint64_t from = p->open[i].utc_ns;

		if (p->open[i].id != id)
			continue;
		p->open[i].id = 0;
		add_tool_event(p, utc_ns, is_error ? AGENT_ERROR : AGENT_RESULT, p->open[i].tool);
		if (p->open[i].server)
			count_answer(&p->servers[p->open[i].server - 1],
				from && utc_ns > from ? utc_ns - from : 0, is_error);
		if (is_new(p, is_error ? key : key ^ p->open[i].key))
			have_effect(p, utc_ns);
	}
}

/* --- lines --- */

/* Calls and results of a subagent are not examined: each of its lines counts as progress, as a
 * prompt of the user does. */
static void claude_line(struct agent_progress *p, const json_t *line, uint64_t utc_ns)
{
	const json_t *content = json_object_get(json_object_get(line, "message"), "content");
	bool is_user = agent_json_is(line, "type", "user");
	const json_t *part;
	size_t i;

	if (json_is_true(json_object_get(line, "isSidechain"))) {
		have_effect(p, utc_ns);
		return;
	}
	if (agent_turn_is_prompt(line))
		take_users_prompt(p, utc_ns);
	json_array_foreach(content, i, part)
	{
		if (is_user && agent_json_is(part, "type", "tool_result"))
			take_result(p, part, "tool_use_id", utc_ns);
		else if (!is_user && agent_json_is(part, "type", "tool_use"))
			take_call(p, part, "id", utc_ns);
	}
}

static void codex_line(struct agent_progress *p, const json_t *line, uint64_t utc_ns)
{
	const json_t *payload = json_object_get(line, "payload");

	if (agent_json_is(payload, "type", "task_started"))
		take_users_prompt(p, utc_ns);
	else if (!agent_json_is(line, "type", "response_item"))
		return;
	else if (agent_json_is(payload, "type", "function_call_output") ||
		 agent_json_is(payload, "type", "custom_tool_call_output"))
		take_result(p, payload, "call_id", utc_ns);
	else if (json_object_get(payload, "call_id"))
		take_call(p, payload, "call_id", utc_ns);
}

/* A call has its result with it. Names of calls do not distinguish MCP servers. */
static void gemini_call(struct agent_progress *p, const json_t *call, uint64_t utc_ns)
{
	bool is_error = agent_json_is(call, "status", "error");
	char tool[AGENT_TOOL_MAX + 1];

	p->calls += p->calls < UINT32_MAX;
	agent_turn_name_call(tool, call);
	tool[AGENT_SERVER_MAX] = '\0';
	add_tool_event(p, utc_ns, is_error ? AGENT_ERROR : AGENT_RESULT, tool);
	if (is_new(p, agent_whole_call_key(call)))
		have_effect(p, utc_ns);
}

static void gemini_line(struct agent_progress *p, const json_t *line, uint64_t utc_ns)
{
	const json_t *call;
	size_t i;

	if (agent_json_is(line, "type", "user") && !agent_turn_is_result(line))
		take_users_prompt(p, utc_ns);
	json_array_foreach(json_object_get(line, "toolCalls"), i, call)
		gemini_call(p, call, utc_ns);
}

static void (*const kinds[])(struct agent_progress *p, const json_t *line, uint64_t utc_ns) = {
	[AGENT_LOG_CLAUDE] = claude_line,
	[AGENT_LOG_CODEX] = codex_line,
	[AGENT_LOG_GEMINI] = gemini_line,
	[AGENT_LOG_OPENCODE] = NULL,
};

static void cap_sum(uint64_t *sum, uint64_t most)
{
	if (*sum > most)
		*sum = most;
}

void agent_progress_line(struct agent_progress *p, enum agent_log kind, const json_t *line,
	const struct agent_spent *spent)
{
	uint64_t utc_ns = agent_json_utc_ns(line, "timestamp");

	assert(p);
	if (!kinds[kind])
		return;
	if (spent->turns != p->now.turns) {
		p->answer_utc_ns = utc_ns;
		add_event(p, &(struct agent_event){ .utc_ns = utc_ns,
				     .kind = AGENT_ANSWER,
				     .tokens = increase_u64(spent->output, p->now.output) });
	}
	p->now = *spent;
	cap_sum(&p->at_effect.input, p->now.input);
	cap_sum(&p->at_effect.output, p->now.output);
	if (!p->effect_utc_ns) /* where the reading begins */
		take_prompt(p, utc_ns);
	kinds[kind](p, line, utc_ns);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/agent_logs/agent_tokens.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/agent_logs/agent_json.h"

#define MINUTE_NS  (60 * NS_PER_S)
#define TOKENS_MAX (1ull << 40) /* of a session, in and out: more is no number of tokens */
#define ANSWER_MAX (1ull << 32) /* of one answer */

/* 0: none, or no number of tokens. */
static uint64_t tokens_of(const json_t *usage, const char *key, uint64_t most)
{
	uint64_t number;

	return agent_json_number(usage, key, &number) && number <= most ? number : 0;
}

static uint64_t answer_tokens(const json_t *usage, const char *key)
{
	return tokens_of(usage, key, ANSWER_MAX);
}

bool agent_tokens_are_plausible(const struct agent_tokens *t)
{
	assert(t);
	return t->input <= TOKENS_MAX && t->output <= TOKENS_MAX && t->context <= TOKENS_MAX;
}

static void keep_model(struct agent_tokens *t, const json_t *object)
{
	char model[AGENT_MODEL_MAX + 1];

	if (agent_json_word(object, "model", model, sizeof(model)))
		memcpy(t->model, model, sizeof(model));
}

/* Another line of the answer before replaces what that said; without an id each line is one. */
static void count_tokens(struct agent_tokens *t, const char *id, uint64_t input, uint64_t output)
{
	if (*id && !strcmp(id, t->last_id)) {
		t->input -= t->last_input;
		t->output -= t->last_output;
	} else if (t->turns < UINT32_MAX) {
		t->turns++;
	}
	if (t->input + input > TOKENS_MAX || t->output + output > TOKENS_MAX)
		input = output = 0;
	snprintf(t->last_id, sizeof(t->last_id), "%s", id);
	t->input += input;
	t->output += output;
	t->last_input = input;
	t->last_output = output;
	t->has_any = true;
}

/* Adds to the minute of a line what the line added to the sums. */
static void count_minute(struct agent_tokens *t, const json_t *line, uint64_t tokens)
{
	uint64_t minute = agent_json_utc_ns(line, "timestamp") / MINUTE_NS;
	size_t i = minute % AGENT_MINUTES;

	if (!minute || !tokens || t->minutes[i].minute > minute)
		return;
	if (t->minutes[i].minute != minute)
		t->minutes[i].tokens = 0;
	t->minutes[i].minute = minute;
	t->minutes[i].tokens += tokens;
}

uint64_t agent_tokens_a_minute(const struct agent_tokens *t, uint64_t utc_ns)
{
	uint64_t minute = utc_ns / MINUTE_NS, sum = 0;

	assert(t);
	for (size_t i = 0; i < AGENT_MINUTES; i++) {
		if (t->minutes[i].minute + AGENT_MINUTES > minute && t->minutes[i].minute <= minute)
			sum += t->minutes[i].tokens;
	}
	return sum / AGENT_MINUTES;
}

/* {"type": "assistant", "message": {"id": …, "model": …, "usage": {"input_tokens": …}}}; what the
 * agent says itself has "<synthetic>" for a model. */
static void claude_line(struct agent_tokens *t, const json_t *line)
{
	const json_t *message = json_object_get(line, "message");
	const json_t *usage = json_object_get(message, "usage");
	char model[AGENT_MODEL_MAX + 1], id[AGENT_ID_MAX + 1];
	uint64_t input, output;

	if (!agent_json_is(line, "type", "assistant") || !json_is_object(usage) ||
		!agent_json_word(message, "model", model, sizeof(model)))
		return;
	agent_json_word(message, "id", id, sizeof(id));
	input = answer_tokens(usage, "input_tokens") +
		answer_tokens(usage, "cache_creation_input_tokens") +
		answer_tokens(usage, "cache_read_input_tokens");
	output = answer_tokens(usage, "output_tokens");
	count_tokens(t, id, input, output);
	if (json_is_true(json_object_get(line, "isSidechain"))) /* a subagent has its own context */
		return;
	t->context = input + output;
	memcpy(t->model, model, sizeof(model));
}

/* "rate_limits": {"primary": {"used_percent": 12.5, "resets_at": SECONDS}, "secondary": …} */
static void keep_quota(struct agent_tokens *t, const json_t *limits)
{
	const json_t *limit;
	const char *name;

	if (!json_is_object(limits))
		return;
	t->has_quota = false;
	json_object_foreach((json_t *)limits, name, limit)
	{
		const json_t *used = json_object_get(limit, "used_percent");
		double percent = json_number_value(used);
		uint64_t resets = 0;

		if (!json_is_number(used) || percent < 0 || percent > 100 ||
			(t->has_quota && percent <= t->quota_percent))
			continue;
		agent_json_number(limit, "resets_at", &resets);
		t->has_quota = true;
		t->quota_percent = percent;
		t->quota_resets_utc_ns = resets < UINT32_MAX ? resets * NS_PER_S : 0;
	}
}

/* The sums of the session stand in each line: {"type": "event_msg", "payload": {"type":
 * "token_count", "info": {"total_token_usage": …, "last_token_usage": …}}} */
static void codex_line(struct agent_tokens *t, const json_t *line)
{
	const json_t *payload = json_object_get(line, "payload");
	const json_t *info = json_object_get(payload, "info");
	const json_t *total = json_object_get(info, "total_token_usage");
	const json_t *last = json_object_get(info, "last_token_usage");
	uint64_t input = tokens_of(total, "input_tokens", TOKENS_MAX);
	uint64_t output = tokens_of(total, "output_tokens", TOKENS_MAX);

	if (agent_json_is(line, "type", "turn_context"))
		keep_model(t, payload);
	if (agent_json_is(payload, "type", "token_count")) {
		keep_quota(t, json_object_get(payload, "rate_limits"));
		if (json_is_object(info))
			t->window = answer_tokens(info, "model_context_window");
	}
	/* It is repeated with the limits of the account. */
	if (!agent_json_is(payload, "type", "token_count") || !json_is_object(total) ||
		(t->has_any && input == t->input && output == t->output))
		return;
	t->turns += t->turns < UINT32_MAX;
	t->input = input;
	t->output = output;
	t->context = answer_tokens(last, "input_tokens") + answer_tokens(last, "output_tokens");
	t->has_any = true;
}

/* {"type": "gemini", "id": …, "tokens": {"input": …, "output": …, "thoughts": …}, "model": …} */
static void gemini_line(struct agent_tokens *t, const json_t *line)
{
	const json_t *usage = json_object_get(line, "tokens");
	char id[AGENT_ID_MAX + 1];
	uint64_t input = answer_tokens(usage, "input");
	uint64_t output = answer_tokens(usage, "output") + answer_tokens(usage, "thoughts");

	if (!agent_json_is(line, "type", "gemini") || !json_is_object(usage))
		return;
	agent_json_word(line, "id", id, sizeof(id));
	count_tokens(t, id, input, output);
	t->context = input + output;
	keep_model(t, line);
}

/* Lines with one of the marks matter, here or to agent_progress_line(). */
static const struct token_kind {
	const char *marks[AGENT_MARKS_MAX];
	void (*line)(struct agent_tokens *t, const json_t *line);
} kinds[] = {
	[AGENT_LOG_NONE] = { { NULL }, NULL },
	[AGENT_LOG_CLAUDE] = { { "\"usage\"", "\"user\"", "\"assistant\"" }, claude_line },
	[AGENT_LOG_CODEX] = { { "\"token_count\"", "\"turn_context\"", "\"event_msg\"", "_call" },
		codex_line },
	[AGENT_LOG_GEMINI] = { { "\"tokens\"", "\"user\"", "\"gemini\"" }, gemini_line },
	[AGENT_LOG_OPENCODE] = { { NULL }, NULL },
};

static void take_line(struct agent_tokens *t, enum agent_log log, struct span line)
{
	_cleanup_json_ json_t *json = agent_json_marked(line, kinds[log].marks);
	uint64_t before = t->input + t->output;

	if (!json)
		return;
	kinds[log].line(t, json);
	count_minute(t, json, increase_u64(t->input + t->output, before));
	agent_progress_line(
		&t->progress, log, json, &(struct agent_spent){ t->turns, t->input, t->output });
}

size_t agent_tokens_read(struct agent_tokens *t, enum agent_log kind, const void *data, size_t size)
{
	const char *at = data, *end = at + size, *newline;

	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		if (kinds[kind].line)
			take_line(t, kind, span_of(at, (size_t)(newline - at)));
		at = newline + 1;
	}
	return (size_t)(at - (const char *)data);
}

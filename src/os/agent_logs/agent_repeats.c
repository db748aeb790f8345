/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/agent_logs/agent_repeats.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/hash.h"

/* Members that have the arguments of a call and the text of a result, by the formats of the logs.
 */
static const char *const call_members[] = { "name", "namespace", "input", "arguments", "action",
	"args" };
static const char *const result_members[] = { "content", "output", "error" };

/* Codex writes how long the command took and a random number, Gemini its process group, each in a
 * line of the result. */
static bool is_of_run(struct span line)
{
	return span_starts(line, "Wall time") || span_starts(line, "Chunk ID: ") ||
	       span_starts(line, "Process Group PGID: ") ||
	       span_contains(line, "\"duration_seconds\"");
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Returns the end of a number with its points and colons: "12:01:05", "0.32". */
static size_t number_end(struct span line, size_t at)
{
	while (at < line.size &&
		(is_digit(line.data[at]) ||
			((line.data[at] == '.' || line.data[at] == ':') && at + 1 < line.size &&
				is_digit(line.data[at + 1]))))
		at++;
	return at;
}

/* Returns whether a number is a time of the day, or is in seconds or milliseconds. */
static bool is_clock(struct span number, struct span behind)
{
	return memchr(number.data, ':', number.size) || span_starts(behind, "s ") ||
	       span_starts(behind, "ms") || span_starts(behind, " s") ||
	       (behind.size == 1 && *behind.data == 's') || span_starts(behind, "s)");
}

/* Hashes a line without its times. */
static uint64_t hash_line(uint64_t hash, struct span line)
{
	for (size_t at = 0, from; at < line.size;) {
		for (from = at; at < line.size && !is_digit(line.data[at]);)
			at++;
		hash = hash_bytes(hash, line.data + from, at - from);
		from = at;
		at = number_end(line, at);
		if (!is_clock(span_of(line.data + from, at - from),
			    span_of(line.data + at, line.size - at)))
			hash = hash_bytes(hash, line.data + from, at - from);
	}
	return hash;
}

static uint64_t hash_text(uint64_t hash, struct span text, bool has_times)
{
	struct cursor c = cursor_over(text.data, text.size);

	while (!cursor_at_end(&c)) {
		struct span line = cursor_line(&c);

		if (!is_of_run(line))
			hash = has_times ? hash_line(hash, line)
					 : hash_bytes(hash, line.data, line.size);
	}
	return hash;
}

static uint64_t hash_members(
	const json_t *object, const char *const names[], size_t count, bool has_times)
{
	uint64_t hash = HASH_BEGIN;

	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(object, names[i]);
		const char *text = json_string_value(value);
		_cleanup_free_ char *dumped =
			value && !text
				? json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY)
				: NULL;

		if (!text)
			text = dumped ? dumped : "";
		hash = hash_text(hash_bytes(hash, "", 1), span_of(text, strlen(text)), has_times);
	}
	return hash;
}

uint64_t agent_call_key(const json_t *call)
{
	return hash_members(call, call_members, ARRAY_SIZE(call_members), false);
}

uint64_t agent_result_key(const json_t *result)
{
	return hash_members(result, result_members, ARRAY_SIZE(result_members), true);
}

uint64_t agent_whole_call_key(const json_t *call)
{
	const json_t *result = json_array_get(json_object_get(call, "result"), 0);
	const json_t *answer = json_object_get(result, "functionResponse");

	return agent_call_key(call) ^ agent_result_key(json_object_get(answer, "response"));
}

void agent_repeats_add(struct agent_repeats *r, uint64_t key, uint64_t utc_ns)
{
	assert(r);

	for (unsigned i = 0; i < AGENT_PERIOD_MAX; i++) {
		if (r->keys[i] != key)
			r->runs[i] = 0;
		else if (!r->runs[i]++)
			r->since[i] = r->begins[i];
	}
	memmove(&r->keys[1], r->keys, sizeof(r->keys) - sizeof(r->keys[0]));
	memmove(&r->begins[1], r->begins, sizeof(r->begins) - sizeof(r->begins[0]));
	r->keys[0] = key;
	r->begins[0] = utc_ns;
}

uint32_t agent_repeats_times(const struct agent_repeats *r, uint8_t *period, uint64_t *since_utc_ns)
{
	assert(r);

	for (unsigned i = 0; i < AGENT_PERIOD_MAX; i++) {
		if (!r->runs[i])
			continue;
		*period = (uint8_t)(i + 1);
		*since_utc_ns = r->since[i];
		return r->runs[i] / (i + 1) + 1;
	}
	return 1;
}

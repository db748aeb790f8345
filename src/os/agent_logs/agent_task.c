/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/agent_logs/agent_task.h"

#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "os/agent_logs/agent_json.h"
#include "secrets/mask.h"

#define PROMPT_BYTES 4096 /* are masked: a secret must not be cut before that */

/* Texts that an agent itself adds to a conversation in the user's name. */
static bool is_added(const char *text)
{
	static const char *const begins[] = { "<command-", "<local-command", "<bash-", "<system-",
		"<ide_", "<environment_context", "<user_instructions", "<INSTRUCTIONS",
		"# AGENTS.md", "[Request interrupted" };

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
		if (!strncmp(text, begins[i], strlen(begins[i])))
			return true;
	}
	return !text[strspn(text, " \t\r\n")];
}

/* A text, or the first of an array of parts that the user wrote; NULL: none. */
static const char *text_of(const json_t *object, const char *key)
{
	const json_t *content = json_object_get(object, key), *part;
	const char *text = json_string_value(content);
	size_t i;

	json_array_foreach(content, i, part)
	{
		text = json_string_value(json_object_get(part, "text"));
		if (text && !is_added(text))
			break;
	}
	return text && !is_added(text) ? text : NULL;
}

static const char *prompt_of(enum agent_log kind, const json_t *line)
{
	const json_t *payload = json_object_get(line, "payload");
	bool is_user = agent_json_is(line, "type", "user");

	if (kind == AGENT_LOG_CODEX && agent_json_is(payload, "type", "user_message"))
		return text_of(payload, "message");
	if (kind == AGENT_LOG_CODEX && agent_json_is(payload, "role", "user"))
		return text_of(payload, "content");
	if (kind == AGENT_LOG_GEMINI && is_user)
		return text_of(line, "content");
	if (kind != AGENT_LOG_CLAUDE || !is_user ||
		json_is_true(json_object_get(line, "isSidechain")) ||
		json_is_true(json_object_get(line, "isMeta")) ||
		json_is_true(json_object_get(line, "isCompactSummary")))
		return NULL;
	return text_of(json_object_get(line, "message"), "content");
}

/* One line with one blank between words, masked, then cut. */
void agent_task_write(char task[AGENT_TASK_MAX + 1], const char *prompt)
{
	struct cursor c = cursor_over(prompt, strnlen(prompt, PROMPT_BYTES));
	struct buffer words = { 0 }, masked = { 0 };
	size_t at = 0, length;

	while (!cursor_at_end(&c)) {
		char byte = (char)cursor_u8(&c);
		bool is_blank = (unsigned char)byte <= ' ' || byte == 0x7f;

		if (!is_blank || (words.size && words.data[words.size - 1] != ' '))
			buffer_char(&words, is_blank ? ' ' : byte);
	}
	words.size -= words.size && words.data[words.size - 1] == ' ';
	mask_text(&masked, (const char *)words.data, words.size);
	for (unsigned i = 0; i < AGENT_TASK_CHARS && at < masked.size; i++) {
		length = utf8_length((const char *)masked.data + at, masked.size - at);
		at += length ? length : 1;
	}
	snprintf(task, AGENT_TASK_MAX + 1, "%.*s%s", (int)at, buffer_cstr(&masked),
		at < masked.size ? "..." : "");
	buffer_fini(&words);
	buffer_fini(&masked);
}

bool agent_task_read(
	char task[AGENT_TASK_MAX + 1], enum agent_log kind, const void *data, size_t size)
{
	static const char *const marks[AGENT_MARKS_MAX] = { "\"user" };
	struct cursor c = cursor_over(data, size);

	assert(task);
	task[0] = '\0';
	while (!task[0] && !cursor_at_end(&c)) {
		_cleanup_json_ json_t *line = agent_json_marked(cursor_line(&c), marks);
		const char *prompt = line ? prompt_of(kind, line) : NULL;

		if (prompt)
			agent_task_write(task, prompt);
	}
	return task[0] != '\0';
}

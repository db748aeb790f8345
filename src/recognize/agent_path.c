/* SPDX-License-Identifier: BSD-2-Clause */
/* Patterns of agents' files; see agent_path.h. */
#include "recognize/agent_path.h"

#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "recognize/agent.h"
#include "recognize/script.h"

#define NAMES_MAX  16 /* names of a pattern */
#define MCP_PREFIX "mcp__"

enum token { TOKEN_CHARACTER, TOKEN_ANY, TOKEN_PROJECT, TOKEN_PID, TOKEN_SESSION, TOKEN_DIRECTORY };

static const struct {
	const char *text;
	enum token token;
} tokens[] = {
	{ "*", TOKEN_ANY },
	{ "{project}", TOKEN_PROJECT },
	{ "{pid}", TOKEN_PID },
	{ "{session}", TOKEN_SESSION },
	{ "{directory}", TOKEN_DIRECTORY },
};

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_plain(char c)
{
	return is_alphanumeric(c) || (c && strchr("._:-", c));
}

bool agent_word_is_plain(struct span word, size_t most)
{
	if (!word.size || word.size > most || !is_alphanumeric(word.data[0]))
		return false;
	for (size_t i = 1; i < word.size; i++) {
		if (!is_plain(word.data[i]))
			return false;
	}
	return true;
}

bool agent_mcp_server(struct span tool, struct span *server)
{
	struct cursor c = cursor_over(tool.data, tool.size);
	const char *end;

	if (!cursor_skip(&c, MCP_PREFIX))
		return false;
	*server = span_of((const char *)c.at, cursor_left(&c));
	end = server->size ? memmem(server->data, server->size, "__", 2) : NULL;
	if (end)
		server->size = (size_t)(end - server->data);
	return true;
}

static struct span text_behind(struct span text, size_t size)
{
	return span_of(text.data + size, text.size - size);
}

struct span agent_path_next(struct span *pattern)
{
	assert(pattern);

	struct cursor c = cursor_over(pattern->data, pattern->size);
	struct span name = cursor_until(&c, '/');

	*pattern = span_of((const char *)c.at, cursor_left(&c));
	return name;
}

static enum token token_at(struct span pattern, size_t *size)
{
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
		*size = strlen(tokens[i].text);
		if (span_starts(pattern, tokens[i].text))
			return tokens[i].token;
	}
	*size = 1;
	return TOKEN_CHARACTER;
}

/* Finds the only value of the token; false: there may be several. */
static bool value_of(enum token token, const struct agent_path *values, struct span *value)
{
	*value = token == TOKEN_PID	  ? values->pid
		 : token == TOKEN_SESSION ? values->session
					  : values->directory;
	return (token == TOKEN_PID || token == TOKEN_SESSION ||
		       (token == TOKEN_DIRECTORY && !values->is_any_directory)) &&
	       value->size;
}

static char written_character(enum token token, char c)
{
	return token == TOKEN_DIRECTORY && !is_alphanumeric(c) ? '-' : c;
}

bool agent_path_expand(char *out, size_t room, struct span pattern, const struct agent_path *values)
{
	size_t used = 0;

	while (pattern.size) {
		size_t size;
		enum token token = token_at(pattern, &size);
		struct span value = span_of(pattern.data, 1);

		if (token != TOKEN_CHARACTER && !value_of(token, values, &value))
			return false;
		if (value.size >= room - used)
			return false;
		for (size_t i = 0; i < value.size; i++)
			out[used++] = written_character(token, value.data[i]);
		pattern = text_behind(pattern, size);
	}
	out[used] = '\0';
	return used;
}

/* Returns whether the name begins with the value of the token. */
static bool begins_with_token(enum token token, struct span value, struct span name)
{
	if (name.size < value.size)
		return false;
	for (size_t i = 0; i < value.size; i++) {
		if (written_character(token, value.data[i]) != name.data[i])
			return false;
	}
	return true;
}

bool agent_path_match(struct span pattern, struct span name, const struct agent_path *values,
	struct span *session)
{
	while (pattern.size) {
		size_t size;
		enum token token = token_at(pattern, &size);
		struct span rest = text_behind(pattern, size), value = span_of(pattern.data, 1);

		if (token == TOKEN_CHARACTER || value_of(token, values, &value)) {
			if (!begins_with_token(token, value, name))
				return false;
			name = text_behind(name, value.size);
			pattern = rest;
			continue;
		}
		/* Recursion and loops are bounded by the pattern and the name, which are both
		 * short. */
		for (size_t part = name.size + 1; part-- > 0;) {
			struct span word = span_of(name.data, part);

			if (token == TOKEN_SESSION && !agent_word_is_plain(word, AGENT_ID_MAX))
				continue;
			if (!agent_path_match(rest, text_behind(name, part), values, session))
				continue;
			if (token == TOKEN_SESSION && session)
				*session = word;
			return true;
		}
		return false;
	}
	return !name.size;
}

bool agent_path_ends(struct span pattern, struct span path, const struct agent_path *values,
	struct span *session)
{
	struct span names[NAMES_MAX];
	size_t count = 0;

	while (pattern.size && count < NAMES_MAX)
		names[count++] = agent_path_next(&pattern);
	while (count) {
		const char *slash = span_last(path, '/');
		size_t head = slash ? (size_t)(slash - path.data) : 0;

		if (!slash || !agent_path_match(
				      names[--count], text_behind(path, head + 1), values, session))
			return false;
		path.size = head;
	}
	return !pattern.size;
}

bool agent_path_arguments(const char *pattern, struct span arguments)
{
	const struct agent_path none = { 0 };
	struct cursor words, c = cursor_over(arguments.data, arguments.size);

	assert(pattern);
	words = cursor_over(pattern, strlen(pattern));
	while (!cursor_at_end(&words)) {
		if (cursor_at_end(&c) || !agent_path_match(cursor_until(&words, ' '),
						 cursor_until(&c, '\0'), &none, NULL))
			return false;
	}
	return true;
}

const struct agent_part *agent_path_part(const struct agent *agent, struct span arguments)
{
	struct cursor c = cursor_over(arguments.data, arguments.size);
	struct span first = cursor_until(&c, '\0');
	struct span script = script_of(interpreter_of(first), arguments).path;

	assert(agent);
	while (script.size && !cursor_at_end(&c) && (const char *)c.at <= script.data)
		cursor_until(&c, '\0');
	for (size_t i = 0; i < AGENT_PARTS_MAX && agent->parts[i].arguments; i++) {
		if (agent_path_arguments(agent->parts[i].arguments,
			    span_of((const char *)c.at, cursor_left(&c))))
			return &agent->parts[i];
	}
	return NULL;
}

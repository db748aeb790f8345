/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/mcp/calls.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/units.h"

bool mcp_calls_add(struct mcp_calls *c, json_t *id, const struct mcp_command *command)
{
	struct mcp_call *call;

	assert(c);
	call = c->count < MCP_CALLS_MAX ? calloc(1, sizeof(*call)) : NULL;
	if (!call)
		return false;
	call->id = json_incref(id);
	call->command = *command;
	call->child.out = -1;
	c->items[c->count++] = call;
	return true;
}

static void remove_call(struct mcp_calls *c, size_t at)
{
	struct mcp_call *call = c->items[at];

	own_command_end(&call->child);
	buffer_fini(&call->output.text);
	json_decref(call->id);
	free(call);
	c->count--;
	memmove(&c->items[at], &c->items[at + 1], (c->count - at) * sizeof(*c->items));
}

void mcp_calls_cancel(struct mcp_calls *c, const json_t *id)
{
	assert(c);
	for (size_t i = 0; i < c->count; i++) {
		if (json_equal(c->items[i]->id, id))
			return remove_call(c, i);
	}
}

static int start_call(struct mcp_call *call)
{
	const char *words[MCP_WORDS_MAX + 1] = { NULL };

	for (size_t i = 0; i < call->command.count; i++)
		words[i] = call->command.words[i];
	call->is_started = true;
	call->end_ns = clock_monotonic_ns() + call->command.limit_ns;
	return own_command_start(&call->child, words, call->command.columns);
}

/* Writes the command as a shell takes it. */
static void print_command(const struct mcp_command *command, struct buffer *out)
{
	for (size_t i = 0; i < command->count; i++) {
		const char *quote = strchr(command->words[i], ' ') ? "'" : "";

		buffer_format(out, "%s%s%s%s", i ? " " : "", quote, command->words[i], quote);
	}
}

static void append_text(struct buffer *text, const struct mcp_call *call, bool is_late)
{
	struct buffer command = { 0 };

	print_command(&call->command, &command);
	mcp_answer_append(text, &call->output, buffer_cstr(&command));
	if (is_late)
		buffer_format(text, "[ended after %u s, its limit: what follows is missing]\n",
			(unsigned)(call->command.limit_ns / NS_PER_S));
	else if (!WIFEXITED(call->child.status))
		buffer_string(text, "[sooth ended before its report was complete]\n");
	else if (!text->size)
		buffer_format(
			text, "[no output, exit status %d]\n", WEXITSTATUS(call->child.status));
	buffer_fini(&command);
}

static void reply_to(const struct mcp_call *call, bool is_late, struct buffer *replies)
{
	struct buffer text = { 0 };
	struct json j;

	append_text(&text, call, is_late);
	mcp_reply_begin(&j, replies, call->id);
	json_format(&j, "{'content':[{'type':'text','text':");
	json_chars(&j, (const char *)text.data, text.size);
	json_format(&j, "}],'isError':%i}", is_late || call->child.status != 0);
	mcp_reply_end(&j);
	buffer_fini(&text);
}

/* Reads what the command has printed. Returns whether the call is over. */
static bool read_call(struct mcp_call *call, struct buffer *replies)
{
	bool is_late;

	own_command_read(&call->child, &call->output.text);
	mcp_output_trim(&call->output);
	is_late = call->child.pid && clock_monotonic_ns() >= call->end_ns;
	if (call->child.pid && !is_late)
		return false;
	own_command_end(&call->child);
	reply_to(call, is_late, replies);
	return true;
}

void mcp_calls_proceed(struct mcp_calls *c, struct buffer *replies)
{
	size_t running = 0;

	assert(c);
	for (size_t i = 0; i < c->count && running < MCP_RUNNING_MAX;) {
		struct mcp_call *call = c->items[i];

		if (!call->is_started && start_call(call)) {
			mcp_reply_error(replies, call->id, MCP_BUSY,
				"no process could be started for the call");
			remove_call(c, i);
		} else if (read_call(call, replies)) {
			remove_call(c, i);
		} else {
			running++;
			i++;
		}
	}
}

size_t mcp_calls_descriptors(const struct mcp_calls *c, int *descriptors)
{
	size_t count = 0;

	assert(c);
	for (size_t i = 0; i < c->count && count < MCP_RUNNING_MAX; i++) {
		if (c->items[i]->child.pid)
			descriptors[count++] = c->items[i]->child.out;
	}
	return count;
}

int mcp_calls_timeout_ms(const struct mcp_calls *c)
{
	uint64_t now = clock_monotonic_ns(), next = UINT64_MAX;

	assert(c);
	for (size_t i = 0; i < c->count; i++) {
		if (c->items[i]->child.pid && c->items[i]->end_ns < next)
			next = c->items[i]->end_ns;
	}
	if (next == UINT64_MAX)
		return -1;
	return next > now ? (int)((next - now) / NS_PER_MS) + 1 : 0;
}

void mcp_calls_end(struct mcp_calls *c)
{
	assert(c);
	while (c->count)
		remove_call(c, c->count - 1);
}

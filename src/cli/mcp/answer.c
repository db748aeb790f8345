/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/mcp/answer.h"

#include <assert.h>
#include <stdio.h>

#define KEPT_HEAD (2 * MCP_ANSWER_MAX) /* of output that is trimmed */
#define KEPT_TAIL (2 * MCP_ANSWER_MAX)
#define TRIM_FROM 65536
#define NOTES_MAX 1500 /* of an answer: the last paragraph, where limits and losses stand */
#define LAST_MAX  900  /* of the paragraphs before it, which are short tables, with it */
#define TAIL_MAX  500  /* of a report that is one paragraph */
#define NOTE_ROOM 256

/* Advice of sooth is for the user of a terminal. */
static const char end_note[] =
	"[sooth kill: only for what you started yourself; for anything else, "
	"ask the user]\n";

/* So are its other commands and their options. */
static const char terminal_note[] =
	"[(-v), --duration and further commands are of the terminal; here: diagnose with seconds]"
	"\n";

#define NOTES (sizeof(end_note) + sizeof(terminal_note))

static size_t count_lines(const char *text, size_t size)
{
	size_t count = 0;

	for (size_t i = 0; i < size; i++)
		count += text[i] == '\n';
	return count;
}

void mcp_output_trim(struct mcp_output *o)
{
	assert(o);

	char *text = (char *)o->text.data;
	size_t size = o->text.size, from = KEPT_HEAD, to = size - KEPT_TAIL;

	if (size < TRIM_FROM)
		return;
	o->dropped_lines += count_lines(text + from, to - from);
	memmove(text + from, text + to, KEPT_TAIL);
	o->text.size = KEPT_HEAD + KEPT_TAIL;
}

/* A character of three bytes counts as five: it is up to two tokens, as four letters are one. */
static size_t weight_of(char byte)
{
	return (byte & 0xc0) == 0x80 ? 2 : 1;
}

/* Returns how many bytes of whole lines, at most of this weight, the text begins with; part of the
 * first line if that is longer. */
static size_t whole_head(struct span text, size_t max)
{
	size_t at = 0, end = 0;

	while (at < text.size && weight_of(text.data[at]) <= max) {
		max -= weight_of(text.data[at]);
		if (text.data[at++] == '\n')
			end = at;
	}
	return end ? end : at;
}

/* Returns where the paragraph begins that ends before `at`, not before `from`; `from`: it begins
 * earlier. */
static size_t paragraph_before(struct span text, size_t from, size_t at)
{
	while (at > from && text.data[at - 1] == '\n')
		at--;
	while (at > from && !(text.data[at - 1] == '\n' && text.data[at - 2] == '\n'))
		at--;
	return at;
}

/* Returns how many bytes of the end of a text to keep, which is longer than an answer: its last
 * paragraph and the short ones before it, or the last lines. */
static size_t kept_tail(struct span text)
{
	size_t from = text.size - NOTES_MAX, at = paragraph_before(text, from, text.size);
	size_t before = at;

	while (before > from && text.size - before <= LAST_MAX) {
		at = before;
		before = paragraph_before(text, from, at);
	}
	if (at > from)
		return text.size - at;
	at = text.size - TAIL_MAX;
	while (at < text.size && text.data[at] != '\n')
		at++;
	return at < text.size ? text.size - at - 1 : 0;
}

/* Appends the text, cut if it is longer than an answer. */
static void append_bounded(struct buffer *out, const struct mcp_output *o, const char *command)
{
	const char *text = buffer_at(&o->text, 0);
	size_t size = o->text.size, weight = 0, head, tail, lines;
	char note[NOTE_ROOM];

	for (size_t i = 0; i < size; i++)
		weight += weight_of(text[i]);
	if (weight <= MCP_ANSWER_MAX - NOTES) {
		buffer_append(out, text, size);
		return;
	}
	tail = kept_tail(span_of(text, size));
	head = whole_head(span_of(text, size - tail), MCP_ANSWER_MAX - NOTE_ROOM - NOTES - tail);
	lines = count_lines(text + head, size - head - tail) + o->dropped_lines;
	if (text[head - 1] == '\n')
		snprintf(note, sizeof(note), "[%zu line%s left out here; all of it: `%s`]\n", lines,
			lines == 1 ? "" : "s", command);
	else
		snprintf(note, sizeof(note), " [the line goes on; all of it: `%s`]\n", command);
	buffer_append(out, text, head);
	buffer_string(out, note);
	buffer_append(out, text + size - tail, tail);
}

void mcp_answer_append(struct buffer *out, const struct mcp_output *o, const char *command)
{
	size_t from = out->size;
	struct span text = span_of(buffer_at(&o->text, 0), o->text.size);

	append_bounded(out, o, command);
	if (span_contains(text, "(-v)") || span_contains(text, "--duration"))
		buffer_string(out, terminal_note);
	if (out->size > from &&
		span_contains(span_of(buffer_at(out, from), out->size - from), "sooth kill"))
		buffer_string(out, end_note);
}

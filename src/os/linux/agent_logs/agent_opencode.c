/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/agent_logs/agent_opencode.h"

#include <string.h>

#include "base/units.h"
#include "os/agent_logs/agent_json.h"
#include "probes/proc.h"

#define RUNS_MAX     64		      /* with more runs the oldest is forgotten */
#define BEFORE_NS    (2 * NS_PER_S)   /* the wall clock may have been set */
#define WITHIN_NS    (30 * NS_PER_S)  /* from the start to the first line */
#define LATE_NS	     (300 * NS_PER_S) /* the same on a busier host */
#define ATTEMPTS_MAX 1000

struct line {
	struct span run, message, permission, is_small, mode;
	uint64_t utc_ns;
};

/* A value: a word, or a text in quotes with \" in it. */
static struct span take_value(struct cursor *c)
{
	const char *begin;
	size_t size = 0;

	if (!cursor_skip(c, "\""))
		return cursor_until(c, ' ');
	begin = (const char *)c->at;
	for (bool is_escaped = false; !cursor_at_end(c); size++) {
		uint8_t byte = cursor_u8(c);

		if (byte == '"' && !is_escaped)
			break;
		is_escaped = byte == '\\' && !is_escaped;
	}
	return span_of(begin, size);
}

static bool parse_line(struct line *line, struct span text)
{
	struct cursor c = cursor_over(text.data, text.size);

	*line = (struct line){ 0 };
	while (!cursor_at_end(&c)) {
		struct span key = cursor_until(&c, '=');
		struct span value;

		while (key.size && *key.data == ' ')
			key = span_of(key.data + 1, key.size - 1);
		value = take_value(&c);
		if (span_equal(key, "timestamp"))
			line->utc_ns = agent_json_utc_of(value);
		else if (span_equal(key, "run"))
			line->run = value;
		else if (span_equal(key, "message"))
			line->message = value;
		else if (span_equal(key, "permission"))
			line->permission = value;
		else if (span_equal(key, "small"))
			line->is_small = value;
		else if (span_equal(key, "mode"))
			line->mode = value;
	}
	return line->utc_ns && line->run.size && line->message.size;
}

/* Reads the next complete line of the log; false: at the end. */
static bool next_line(struct line *line, struct span *left, bool *is_cut)
{
	while (left->size) {
		const char *newline = memchr(left->data, '\n', left->size);
		struct span text = span_of(left->data, 0);
		bool is_whole = !*is_cut;

		if (!newline) /* it is still being written */
			return false;
		text.size = (size_t)(newline - left->data);
		*left = span_of(newline + 1, left->size - text.size - 1);
		*is_cut = false;
		if (is_whole && parse_line(line, text))
			return true;
	}
	return false;
}

/* --- which process wrote the lines --- */

struct runs {
	struct span seen[RUNS_MAX];
	size_t count;
};

static bool is_new(struct runs *runs, struct span run)
{
	size_t kept = runs->count < RUNS_MAX ? runs->count : RUNS_MAX;

	for (size_t i = 0; i < kept; i++) {
		if (!span_compare(runs->seen[i], run))
			return false;
	}
	runs->seen[runs->count++ % RUNS_MAX] = run;
	return true;
}

/* Finds the only run that began when the process did, or the only one some time later. If there are
 * several, none is known to belong to the process. */
static bool find_run(struct span *run, struct span log, bool is_cut, uint64_t start_utc_ns)
{
	bool is_short = is_cut;
	struct runs runs = { .count = 0 };
	unsigned found = 0, late = 0;
	struct line line;

	while (next_line(&line, &log, &is_cut)) {
		if (is_short && line.utc_ns > start_utc_ns)
			return false; /* the first line is further up */
		is_short = false;
		if (!is_new(&runs, line.run) || line.utc_ns + BEFORE_NS < start_utc_ns ||
			line.utc_ns > start_utc_ns + LATE_NS)
			continue;
		if (line.utc_ns <= start_utc_ns + WITHIN_NS)
			found++;
		else
			late++;
		if (!found || line.utc_ns <= start_utc_ns + WITHIN_NS)
			*run = line.run;
	}
	return found == 1 || (!found && late == 1);
}

/* --- whose turn it is --- */

static void set_turn(struct agent_turn *turn, enum proc_turn of, uint64_t utc_ns)
{
	*turn = (struct agent_turn){ .of = (uint8_t)of, .utc_ns = utc_ns };
}

static void take_request(struct agent_turn *turn, const struct line *line)
{
	bool is_again = turn->of == PROC_TURN_MODEL && turn->attempts;

	if (!is_again)
		set_turn(turn, PROC_TURN_MODEL, line->utc_ns);
}

static void take_error(struct agent_turn *turn)
{
	if (turn->of == PROC_TURN_MODEL && turn->attempts < ATTEMPTS_MAX)
		turn->attempts = turn->attempts ? turn->attempts + 1 : 2;
}

static void take_question(struct agent_turn *turn, const struct line *line)
{
	set_turn(turn, PROC_TURN_PERMISSION, line->utc_ns);
	if (!agent_word_is_plain(line->permission, AGENT_TOOL_MAX))
		return;
	memcpy(turn->call, line->permission.data, line->permission.size);
}

/* Takes a line. Requests for a title, and those of subagents, are not part of the conversation. */
static void take_line(struct agent_turn *turn, const struct line *line)
{
	bool is_main = span_equal(line->is_small, "false") && span_equal(line->mode, "primary");

	if (is_main && span_equal(line->message, "stream"))
		take_request(turn, line);
	else if (is_main && span_equal(line->message, "stream error"))
		take_error(turn);
	else if (span_equal(line->message, "asking"))
		take_question(turn, line);
	else if (span_equal(line->message, "exiting loop"))
		set_turn(turn, PROC_TURN_USER, line->utc_ns);
}

bool agent_opencode_read(
	struct agent_turn *turn, const void *data, size_t size, bool is_cut, uint64_t start_utc_ns)
{
	struct span log = span_of(data, size), run;
	struct line line;

	*turn = (struct agent_turn){ 0 };
	if (!find_run(&run, log, is_cut, start_utc_ns))
		return false;
	while (next_line(&line, &log, &is_cut)) {
		if (!span_compare(line.run, run))
			take_line(turn, &line);
	}
	return turn->of != PROC_TURN_UNKNOWN;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answers of a session by its log as it grows: since when they had no effect. An
 * effect is a prompt of the user, or a tool call whose result, together with the call, was not
 * there before; an error has to be a new one. So a batch over many files and an edit have effects,
 * a call whose result is always the same has none. Calls and results are compared by hashes; no
 * text is kept. Beside it: the calls of MCP servers with their times.
 */
#pragma once

#include "os/agent_logs/agent_json.h"
#include "recognize/agent.h"

#define AGENT_RESULTS_MAX 256 /* that are remembered */
#define AGENT_SERVERS_MAX 8
#define AGENT_OPEN_MAX	  8
#define AGENT_EVENTS_MAX  16
#define AGENT_SERVER_MAX  48

struct agent_server_use {
	char name[AGENT_SERVER_MAX + 1];
	uint32_t calls, errors; /* with a result */
	uint64_t total_ns, longest_ns;
};

/* A line of the log, without text of the conversation. */
struct agent_event {
	uint64_t utc_ns;
	enum { AGENT_PROMPT, AGENT_ANSWER, AGENT_CALL, AGENT_RESULT, AGENT_ERROR } kind;
	uint64_t tokens;		 /* of an answer, out */
	char tool[AGENT_SERVER_MAX + 1]; /* of a call and its result */
};

struct agent_spent {
	uint32_t turns;
	uint64_t input, output;
};

/* Zeroed: nothing was read yet. */
struct agent_progress {
	uint64_t prompt_utc_ns, effect_utc_ns, answer_utc_ns;
	/* Sums, with those of subagents. Tokens fall where a line replaces an earlier one of the
	 * same answer, and where Codex starts its sums again: `at_effect` falls with them, and is
	 * never above `now`. */
	struct agent_spent now, at_effect;
	uint32_t calls; /* since the effect */
	uint32_t turns_at_prompt;
	uint64_t results[AGENT_RESULTS_MAX];
	size_t next;
	struct {
		uint64_t id, key, utc_ns; /* id: a hash; 0: free */
		uint8_t server;		  /* number, from 1; 0: none */
		char tool[AGENT_SERVER_MAX + 1];
	} open[AGENT_OPEN_MAX];
	struct agent_server_use servers[AGENT_SERVERS_MAX];
	struct agent_event events[AGENT_EVENTS_MAX]; /* a ring */
	size_t event_count;			     /* of all */
};

/* Takes a line of a log after its tokens; `spent`: their sums so far. */
void agent_progress_line(struct agent_progress *p, enum agent_log kind, const json_t *line,
	const struct agent_spent *spent);
/* Writes the last events, each as a text that ends with NUL. */
void agent_progress_write_events(struct buffer *out, const struct agent_progress *p);
/* Returns the server with an open call, else the one with the most trouble; NULL: none. */
const struct agent_server_use *agent_progress_server(const struct agent_progress *p);

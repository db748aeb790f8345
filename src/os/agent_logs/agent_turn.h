/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data read from an agent's session files: from the one that names its session, and from its
 * log the last tool call, and whose turn it is by the end of the log: the model's (a prompt or a
 * tool result without an answer), the tool's (a call without a result), or the user's. Names and
 * times, no conversation text but the command of an open call: the user may be asked to allow it.
 */
#pragma once

#include <jansson.h>

#include "recognize/agent.h"
#include "recognize/agent_path.h"
#include "os/agent_logs/agent_task.h"

#define AGENT_TOOL_MAX	  64
#define AGENT_STATUS_MAX  32
#define AGENT_VERSION_MAX 48
#define AGENT_WAITING_MAX 48

struct agent_session_info {
	char session[AGENT_ID_MAX + 1]; /* "": unknown, as for all of these */
	char status[AGENT_STATUS_MAX + 1];
	char version[AGENT_VERSION_MAX + 1];
	char waiting[AGENT_WAITING_MAX + 1];
	char job[AGENT_STATUS_MAX + 1];
	uint64_t changed_utc_ns;
	/* When the process or the session started. */
	bool has_start_ticks;
	uint64_t start_ticks, start_utc_ns;
};

struct agent_tool {
	char name[AGENT_TOOL_MAX + 1];
	uint64_t utc_ns; /* 0: unknown */
};

struct agent_turn {
	uint8_t of;	 /* enum proc_turn */
	uint64_t utc_ns; /* when it began; 0: unknown */
	/* The oldest call without a result; "": none, or the log does not name it. */
	char call[AGENT_TOOL_MAX + 1];
	char asked[AGENT_TASK_MAX + 1]; /* its command, or its file: masked, then cut; "": none */
	/* Attempts of the request to the model, as the log counts them; 0: it is the first. */
	uint32_t attempts;
	uint16_t error_status; /* HTTP status of the attempt before; 0: unknown */
	/* How many times the last tool calls, with the same results, were made in a row, since the
	 * last prompt: so many calls of a pattern, since when, and when the last one ended. */
	uint32_t repeats;
	uint8_t repeated_calls;
	uint64_t repeats_since_utc_ns, repeats_until_utc_ns;
	char repeated[AGENT_TOOL_MAX + 1];
	uint64_t queued_utc_ns; /* the oldest prompt that the agent keeps in its queue; 0: none */
};

/* False when the end of the log does not say it. `is_cut`: the first line is incomplete. */
bool agent_turn_read(
	struct agent_turn *turn, enum agent_log kind, const void *data, size_t size, bool is_cut);

/* Writes the name of the tool that a call in a log is for; "" if it is not a plain word. */
void agent_turn_name_call(char name[AGENT_TOOL_MAX + 1], const json_t *call);
/* Returns whether a line of type "user" of Gemini CLI has the results of calls. */
bool agent_turn_is_result(const json_t *line);
/* Returns whether a line of Claude Code is a prompt, of the user or of a program. */
bool agent_turn_is_prompt(const json_t *line);

/* False when it is no object that names a session. */
bool agent_session_info_parse(struct agent_session_info *info, const struct agent_files *files,
	const void *data, size_t size);
/*
 * The last tool call at the end of a log; false when there is none. `is_cut`: the first line is
 * incomplete. A line without a newline is still being written.
 */
bool agent_log_last_tool(
	struct agent_tool *tool, enum agent_log kind, const void *data, size_t size, bool is_cut);

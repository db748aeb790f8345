/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is taken out of the files by which an agent keeps its sessions: the one that says
 * which session it has, and its log, of that the last tool call. Names and times, never what was
 * said.
 */
#ifndef SOOTH_OS_LINUX_AGENT_LOG_H
#define SOOTH_OS_LINUX_AGENT_LOG_H

#include "core/agent.h"
#include "core/agent_path.h"

#define AGENT_TOOL_MAX	  64
#define AGENT_STATUS_MAX  32
#define AGENT_VERSION_MAX 48

struct agent_words {
	char session[AGENT_ID_MAX + 1]; /* "": not told, as all of these */
	char status[AGENT_STATUS_MAX + 1];
	char version[AGENT_VERSION_MAX + 1];
	uint64_t changed_utc_ns;
	/* When the process started, or the session did. */
	bool has_start_ticks;
	uint64_t start_ticks, start_utc_ns;
};

struct agent_tool {
	char name[AGENT_TOOL_MAX + 1];
	uint64_t utc_ns; /* 0: not told */
};

/* False when it is no object that tells a session. */
bool agent_words_parse(
	struct agent_words *words, const struct agent_files *files, const void *data, size_t size);
/*
 * The last call of a tool in the end of a log; false when there is none. `is_cut`: the
 * first line is the rest of one. What is not ended by a newline is still being written.
 */
bool agent_log_last_tool(
	struct agent_tool *tool, enum agent_log kind, const void *data, size_t size, bool is_cut);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The tools of the MCP server: each is a command of sooth that only reads. */
#pragma once

#include <jansson.h>

#include "base/json.h"

#define MCP_WORDS_MAX	8
#define MCP_WORD_ROOM	128
#define MCP_PROBLEM_MAX 160

/* The command line of a call. Its words are fixed, except for a pid, a session id and times, which
 * have been checked and stand behind their options. */
struct mcp_command {
	char words[MCP_WORDS_MAX][MCP_WORD_ROOM];
	size_t count;
	int columns;
	uint64_t limit_ns; /* time after which the call is ended */
};

/* Writes the list of tools as an array. */
void mcp_tools_emit(struct json *j);
/* Makes the command of a tool; `arguments` is an object, or NULL. False: `problem` says why. */
bool mcp_tool_command(struct mcp_command *command, const char *tool, json_t *arguments,
	char problem[MCP_PROBLEM_MAX]);

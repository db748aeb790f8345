/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of tools: each runs a command of sooth in a child process, some at a time, the others in
 * their order. */
#pragma once

#include "cli/command/own_command.h"
#include "cli/mcp/answer.h"
#include "cli/mcp/message.h"
#include "cli/mcp/tools.h"

#define MCP_RUNNING_MAX 4
#define MCP_CALLS_MAX	64

struct mcp_call {
	json_t *id;
	struct mcp_command command;
	struct own_command child; /* pid 0: not started, or ended */
	bool is_started;
	uint64_t end_ns; /* when its time is over */
	struct mcp_output output;
};

struct mcp_calls {
	struct mcp_call *items[MCP_CALLS_MAX]; /* in their order */
	size_t count;
};

/* Adds a call. False: there are too many. */
bool mcp_calls_add(struct mcp_calls *c, json_t *id, const struct mcp_command *command);
/* Ends a call without a reply. */
void mcp_calls_cancel(struct mcp_calls *c, const json_t *id);
/* Starts calls that may start, reads what running ones have printed, and appends the replies of
 * those that have ended. */
void mcp_calls_proceed(struct mcp_calls *c, struct buffer *replies);
/* Fills in the descriptors of the running calls, at most MCP_RUNNING_MAX, and returns how many. */
size_t mcp_calls_descriptors(const struct mcp_calls *c, int *descriptors);
/* Returns the time until the next limit, in ms; -1: no call runs. */
int mcp_calls_timeout_ms(const struct mcp_calls *c);
void mcp_calls_end(struct mcp_calls *c);

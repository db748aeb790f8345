/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose turn it is by the end of an agent's log: the model's (a prompt or a tool result without an
 * answer), the tool's (a call without a result), or the user's. Names and times, never
 * conversation text.
 */
#ifndef SOOTH_OS_LINUX_AGENT_TURN_H
#define SOOTH_OS_LINUX_AGENT_TURN_H

#include "os/linux/agents/agent_log.h"

struct agent_turn {
	uint8_t of;	 /* enum proc_turn */
	uint64_t utc_ns; /* when it began; 0: unknown */
	/* The oldest call without a result; "": none, or the log does not name it. */
	char call[AGENT_TOOL_MAX + 1];
	/* Of the request to the model, as the log counts them; 0: it is the first. */
	uint32_t attempts;
	uint16_t error_status; /* HTTP status of the attempt before; 0: unknown */
};

/* False when the end of the log does not say it. `is_cut`: the first line is incomplete. */
bool agent_turn_read(
	struct agent_turn *turn, enum agent_log kind, const void *data, size_t size, bool is_cut);

#endif

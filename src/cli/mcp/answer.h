/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of an answer, within what a model should read at once. The first lines have the cause
 * and the last lines what could not be seen, so lines in the middle are left out. */
#pragma once

#include "base/buffer.h"
#include "base/cursor.h"

/* Bytes, that of a bar or another character beyond ASCII counted by its tokens: tables and stacks
 * of this length were measured to have 1,100 to 1,500 tokens. */
#define MCP_ANSWER_MAX 3600

/* Output of a command that is collected. */
struct mcp_output {
	struct buffer text;
	size_t dropped_lines; /* lines that were already dropped from the middle */
};

/* Drops lines from the middle if there are many more than an answer has. */
void mcp_output_trim(struct mcp_output *o);
/* Appends at most MCP_ANSWER_MAX bytes of the output; `command` prints all of it. */
void mcp_answer_append(struct buffer *out, const struct mcp_output *o, const char *command);

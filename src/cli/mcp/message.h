/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of the Model Context Protocol: JSON-RPC 2.0, one a line. */
#ifndef SOOTH_CLI_MCP_MESSAGE_H
#define SOOTH_CLI_MCP_MESSAGE_H

#include "base/cursor.h"
#include "base/json.h"

#define MCP_LINE_MAX   (1u << 20)
#define MCP_ID_MAX     256 /* bytes of an id, as it is written */
#define MCP_METHOD_MAX 64

enum mcp_code {
	MCP_INVALID_JSON = -32700,
	MCP_INVALID_REQUEST = -32600,
	MCP_UNKNOWN_METHOD = -32601,
	MCP_INVALID_ARGUMENTS = -32602,
	MCP_BUSY = -32000,
};

struct mcp_message {
	struct span id;		     /* as it is written; empty: a notification */
	char method[MCP_METHOD_MAX]; /* empty: a reply, or a name that no method has */
	struct span params;	     /* an object, or empty */
	bool is_reply;		     /* it answers a request, and sooth has made none */
	enum mcp_code code;	     /* of the error that answers it; 0: none */
	const char *problem;
};

/* Returns the line without the blanks at its begin. */
struct span mcp_message_strip(struct span line);
/* Reads a line; its spans are parts of the line. */
void mcp_message_read(struct mcp_message *m, struct span line);

/* Writes a reply up to its result, which the caller writes; mcp_reply_end() closes it. */
void mcp_reply_begin(struct json *j, struct buffer *out, struct span id);
void mcp_reply_end(struct json *j);
void mcp_reply_error(struct buffer *out, struct span id, enum mcp_code code, const char *problem);

#endif

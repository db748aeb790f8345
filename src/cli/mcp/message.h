/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of the Model Context Protocol: JSON-RPC 2.0, one a line. */
#pragma once

#include <jansson.h>

#include "base/cursor.h"
#include "base/json.h"

#define MCP_LINE_MAX  (1u << 20)
#define MCP_DEPTH_MAX 64
#define MCP_ID_MAX    256 /* bytes of an id that is a string */

enum mcp_code {
	MCP_INVALID_JSON = -32700,
	MCP_INVALID_REQUEST = -32600,
	MCP_UNKNOWN_METHOD = -32601,
	MCP_INVALID_ARGUMENTS = -32602,
	MCP_BUSY = -32000,
};

/* A message; its values are borrowed from `json`. */
struct mcp_message {
	json_t *json;
	json_t *id;	    /* NULL: a notification */
	const char *method; /* "": a reply, or a name that no method has */
	json_t *params;	    /* an object, or NULL */
	bool is_reply;	    /* it answers a request, and sooth makes none */
	enum mcp_code code; /* of the error that answers it; 0: none */
	const char *problem;
};

void mcp_message_read(struct mcp_message *m, struct span line);
void mcp_message_fini(struct mcp_message *m);
/* Returns the text of a string; "" for any other value, and for a text with NUL. */
const char *mcp_text(const json_t *value);

/* Writes a reply up to its result, which the caller writes; mcp_reply_end() closes it. */
void mcp_reply_begin(struct json *j, struct buffer *out, const json_t *id);
void mcp_reply_end(struct json *j);
void mcp_reply_error(struct buffer *out, const json_t *id, enum mcp_code code, const char *problem);

/* SPDX-License-Identifier: BSD-2-Clause */
/* The name of a server, from its command line: an npm package, a Python module, a script. */
#pragma once

#include <stdbool.h>

#include "base/cursor.h"
#include "recognize/agent.h"

struct server_command {
	struct span executable; /* path; may be empty */
	struct span arguments;	/* NUL-separated */
	struct span package;	/* npm package of the script; may be empty */
};

struct server_name {
	/* "server-filesystem"; borrowed from the command; empty: no name. */
	struct span name;
	struct span from; /* source of the name: "@modelcontextprotocol/server-filesystem" */
};

struct server_name server_name(const struct server_command *command);
/* Returns whether a component of `from` is "mcp", or its npm scope is that of the protocol. */
bool server_name_is_mcp(const struct server_name *name);

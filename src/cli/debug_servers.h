/* SPDX-License-Identifier: BSD-2-Clause */
/* Options for servers of debug files, for commands that name frames of stacks. */
#pragma once

#include "cli/command/options.h"

struct debug_servers {
	const char *servers; /* NULL: none */
	uint64_t cache_bytes;
};

#define DEBUG_SERVERS_COUNT 2
extern const struct option debug_servers_rows[DEBUG_SERVERS_COUNT];
#define DEBUG_SERVERS_GROUP(config, member)                                                        \
	{                                                                                          \
		.title = "Symbols", .options = debug_servers_rows, .count = DEBUG_SERVERS_COUNT,   \
		.offset = offsetof(config, member)                                                 \
	}
#define DEBUG_SERVERS_RULES                                                                        \
	OPTION_OVER("debuginfod"), OPTION_OVER("debug-cache"),                                     \
	{                                                                                          \
		OPTION_NEEDS, "debug-cache", "debuginfod", "it limits what --debuginfod keeps",    \
			NULL                                                                       \
	}

/* Sets *urls to the URLs of the servers, from the environment if the user requests that; NULL:
 * none. */
int debug_servers_urls(const struct debug_servers *s, const char **urls, struct sooth_error *err);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "api-calls". */
#pragma once

#include <sooth/probe_options.h>

struct sockets_options;

/* Recordings of calls for the view: only the calls of connections, or these among all calls. */
extern const struct sooth_calls_options api_calls_alone, api_calls_among_all;

/* Everything is borrowed until the report ends. */
struct api_calls_options {
	bool with_events;     /* also emit a row for each request and first byte, as they come */
	const char *endpoint; /* only endpoints with this text in name, address or label */
	const struct sockets_options *labels; /* for the names of peers; NULL: built-in ones */
};

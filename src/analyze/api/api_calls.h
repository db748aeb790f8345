/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "api-calls". */
#ifndef SOOTH_ANALYZE_API_CALLS_H
#define SOOTH_ANALYZE_API_CALLS_H

#include <stdbool.h>

struct sockets_options;

/* Everything is borrowed until the report ends. */
struct api_calls_options {
	bool with_events;     /* also emit a row for each request and first byte, as they come */
	const char *endpoint; /* only endpoints with this text in name, address or label */
	const struct sockets_options *labels; /* for the names of peers; NULL: built-in ones */
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The header that a reader of metrics sends; and the context of a trace in the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/gzip.h"
#include "base/trace_parent.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1); /* exact, so that a read behind it is found */
	struct trace_parent p;

	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (gzip_is_accepted(text))
		CHECK(strcasestr(text, "gzip"));
	if (trace_parent_parse(&p, span_of(text, size)))
		CHECK(size == TRACE_PARENT_SIZE && !memchr(text, '\0', size));
	free(text);
	return 0;
}

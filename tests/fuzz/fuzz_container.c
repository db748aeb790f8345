/* SPDX-License-Identifier: BSD-2-Clause */
/* Control groups of any name: what is told fits, and says a runtime and something more. */
#include <string.h>

#include "analyze/process_table/container.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char out[CONTAINER_SIZE];

	memset(out, 7, sizeof(out));
	if (!container_of_group(span_of((const char *)data, size), out)) {
		CHECK(out[0] == 7);
		return 0;
	}
	CHECK(strnlen(out, sizeof(out)) < sizeof(out));
	CHECK(strchr(out, ' ') > out);
	return 0;
}

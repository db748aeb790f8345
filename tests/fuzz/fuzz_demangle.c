/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of symbols: whatever they are, what is made of them is bounded. */
#include "base/demangle.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span name = span_of((const char *)data, size);

	for (int style = DEMANGLE_FULL; style < DEMANGLE_STYLES; style++) {
		struct buffer out = { 0 };

		demangle(&out, name, (enum demangle_style)style);
		CHECK(out.size <= (size > DEMANGLE_MAX ? size : DEMANGLE_MAX));
		CHECK(!size || out.size);
		buffer_fini(&out);
	}
	return 0;
}

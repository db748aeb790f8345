/* SPDX-License-Identifier: BSD-2-Clause */
/* A kept layout: what is accepted is the same when it is printed and read again. */
#include "fuzz.h"
#include "os/linux/runtimes/jsc/jsc_cache.h"

#include <string.h>

#define BUILD "a9a0d18db4f98a86ad4778800c5fa46943f81b2e"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jsc_layout layout, again;
	struct buffer text = { 0 };

	if (!jsc_cache_parse(span_of((const char *)data, size), BUILD, &layout))
		return 0;
	CHECK(layout.start_bits < 32 && layout.start_shift < 2);
	jsc_cache_print(&text, BUILD, &layout);
	CHECK(jsc_cache_parse(span_of((const char *)text.data, text.size), BUILD, &again));
	CHECK(!memcmp(&layout, &again, sizeof(layout)));
	buffer_fini(&text);
	return 0;
}

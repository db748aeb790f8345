/* SPDX-License-Identifier: BSD-2-Clause */
/* Text around the start of a function: a name is a piece of it, and one word. */
#include "fuzz.h"
#include "os/linux/runtimes/jsc/js_text.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$' || c == '#';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	struct buffer out = { 0 };
	size_t at, skip;

	if (!size)
		return 0;
	at = size > 1 ? data[0] * (size - 1) / 255 : 0;
	if (js_text_name(span_of(text, at), span_of(text + at, size - 1 - at), &out)) {
		skip = span_starts(span_of((const char *)out.data, out.size), "cb:") ? 3 : 0;
		CHECK(out.size > skip && out.size - skip <= JS_TEXT_NAME + 1);
		CHECK(memmem(text, size - 1, out.data + skip, out.size - skip));
		for (size_t i = skip; i < out.size; i++)
			CHECK(is_letter((char)out.data[i]));
	} else {
		CHECK(!out.size);
	}
	buffer_fini(&out);
	return 0;
}

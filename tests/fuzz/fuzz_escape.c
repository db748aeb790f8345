/* SPDX-License-Identifier: BSD-2-Clause */
/* The three escapers over any bytes: what they write must be harmless where it goes. */
#include <string.h>

#include "base/escape.h"
#include "fuzz.h"

static uint32_t code_at(const char *text, size_t length)
{
	uint32_t code = (unsigned char)text[0];

	if (length > 1)
		code &= 0x7fu >> length;
	for (size_t i = 1; i < length; i++)
		code = code << 6 | ((unsigned char)text[i] & 0x3f);
	return code;
}

/* Neither a control nor a character that reorders or hides text. */
static void check_visible(uint32_t code)
{
	CHECK(code >= 0x20 && (code < 0x7f || code > 0x9f));
	CHECK(code < 0x200b || code > 0x200f);
	CHECK(code < 0x2028 || code > 0x202e);
	CHECK(code < 0x2066 || code > 0x2069);
	CHECK(code != 0xfeff);
	CHECK(code < 0xe0000 || code > 0xe0fff);
}

static void check_terminal(const char *text, size_t size)
{
	for (size_t at = 0; at < size;) {
		size_t length = utf8_length(text + at, size - at);

		CHECK(length);
		check_visible(code_at(text + at, length));
		at += length;
	}
}

static void check_json(const char *text, size_t size)
{
	for (size_t at = 0; at < size;) {
		size_t length = utf8_length(text + at, size - at);

		CHECK(length);
		check_visible(code_at(text + at, length));
		CHECK(!memchr("\"<>&", text[at], 4));
		if (text[at] == '\\') {
			CHECK(at + 1 < size && memchr("\"\\bfnrtu", text[at + 1], 8));
			if (text[at + 1] == 'u') {
				CHECK(size - at >= 6);
				for (unsigned i = 2; i < 6; i++)
					CHECK(memchr("0123456789abcdef", text[at + i], 16));
			}
			at++;
		}
		at += length;
	}
}

static void check_xml(const char *text, size_t size)
{
	for (size_t at = 0; at < size;) {
		size_t length = utf8_length(text + at, size - at);

		CHECK(length);
		check_visible(code_at(text + at, length));
		CHECK(!memchr("<>\"'", text[at], 4));
		if (text[at] == '&')
			CHECK(memchr(text + at, ';', size - at < 6 ? size - at : 6));
		at += length;
	}
}

typedef void escape_fn(struct buffer *out, const char *text, size_t size);
typedef void check_fn(const char *text, size_t size);

static void run(escape_fn *escape, check_fn *check, const char *text, size_t size)
{
	struct buffer whole = { 0 }, parts = { 0 };

	escape(&whole, text, size);
	CHECK(!buffer_failed(&whole));
	CHECK(whole.size >= size || escape != escape_terminal);
	check((const char *)whole.data, whole.size);
	/* cut between characters, it is the same text */
	for (size_t at = 0; at < size;) {
		size_t length = utf8_length(text + at, size - at);

		length = length ? length : 1;
		escape(&parts, text + at, length);
		at += length;
	}
	CHECK(parts.size == whole.size);
	CHECK(!whole.size || memcmp(parts.data, whole.data, whole.size) == 0);
	buffer_fini(&whole);
	buffer_fini(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run(escape_terminal, check_terminal, (const char *)data, size);
	run(escape_json, check_json, (const char *)data, size);
	run(escape_xml, check_xml, (const char *)data, size);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The parsers over any text, the writers over any number, and what ties them together. */
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "fuzz.h"

static void check_text(const char *text)
{
	uint64_t value = 77, bytes = 77, ns = 77;
	char out[UNITS_SIZE];

	if (parse_u64(text, &value)) {
		const char *digits = text;

		while (digits[0] == '0' && digits[1])
			digits++;
		CHECK(strcmp(format_count(out, value), digits) == 0);
		CHECK(parse_bytes(text, &bytes) && bytes == value);
		CHECK(parse_duration(text, &ns) == (value <= UINT64_MAX / NS_PER_S));
		CHECK(ns == (value <= UINT64_MAX / NS_PER_S ? value * NS_PER_S : 77));
	} else {
		CHECK(value == 77);
	}
	bytes = ns = 77;
	if (parse_bytes(text, &bytes))
		CHECK(text[0] >= '0' && text[0] <= '9');
	else
		CHECK(bytes == 77);
	if (parse_duration(text, &ns))
		CHECK((text[0] >= '0' && text[0] <= '9') || text[0] == '.');
	else
		CHECK(ns == 77);
}

static void check_number(uint64_t value)
{
	char out[UNITS_SIZE], again[UNITS_SIZE];
	uint64_t back;

	CHECK(strlen(format_bytes(out, value)) <= 5);
	CHECK(strlen(format_ns(out, value)) <= 10);
	CHECK(strlen(format_utc(out, value)) == 20 && out[10] == 'T' && out[19] == 'Z');
	CHECK(parse_u64(format_count(out, value), &back) && back == value);
	snprintf(out, sizeof(out), "%" PRIu64 "ns", value);
	CHECK(parse_duration(out, &back) && back == value);
	/* what is written without two units reads back to what is written the same */
	if (value < 59 * NS_PER_S) {
		CHECK(parse_duration(format_ns(out, value), &back));
		CHECK(strcmp(format_ns(again, back), out) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[128];
	uint64_t value = 0;

	if (size >= sizeof(text))
		size = sizeof(text) - 1;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	check_text(text);
	memcpy(&value, text, size < sizeof(value) ? size : sizeof(value));
	check_number(value);
	if (size > 8)
		check_number(value >> (text[8] & 63));
	return 0;
}

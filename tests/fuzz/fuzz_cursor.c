/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first half of the input says what is read, the second half is read: the
 * position never leaves the bytes, and a failure stays one.
 */
#include <string.h>

#include "base/cursor.h"
#include "fuzz.h"

static void check_span(struct span s, const uint8_t *data, size_t size)
{
	const uint8_t *at = (const uint8_t *)s.data;

	CHECK(!s.size || (at >= data && at <= data + size && s.size <= (size_t)(data + size - at)));
}

static struct span step(struct cursor *c, uint8_t what)
{
	struct span none = { NULL, 0 };

	switch (what % 16) {
	case 0:
		cursor_u8(c);
		return none;
	case 1:
		cursor_u16(c);
		return none;
	case 2:
		cursor_u32(c);
		return none;
	case 3:
		cursor_u64(c);
		return none;
	case 4:
		return cursor_line(c);
	case 5:
	case 6:
		return cursor_word(c);
	case 7:
		cursor_decimal(c);
		return none;
	case 8:
		cursor_signed(c);
		return none;
	case 9:
		cursor_hex(c);
		return none;
	case 10:
		cursor_skip(c, ":");
		return none;
	case 11:
		cursor_blanks(c);
		return none;
	case 12:
		return cursor_until(c, ':');
	case 13:
		return cursor_until(c, '\0');
	default:
		return cursor_bytes(c, what / 16);
	}
}

static void check_parts(struct span s)
{
	uint64_t value = 77;

	CHECK(span_starts(s, "") && span_ends(s, "") && span_contains(s, ""));
	if (span_starts(s, "ab") || span_ends(s, "ab"))
		CHECK(span_contains(s, "ab"));
	if (span_equal(s, "ab"))
		CHECK(span_starts(s, "ab") && span_ends(s, "ab") && s.size == 2);
	if (!span_decimal(s, &value))
		CHECK(value == 77);
	else
		CHECK(s.size && s.data[0] >= '0' && s.data[0] <= '9');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t steps = size / 2, left;
	const uint8_t *text = data ? data + steps : NULL;
	struct cursor c = cursor_over(text, size - steps);
	bool has_failed = false;

	for (size_t i = 0; i < steps; i++) {
		struct span s;

		left = cursor_left(&c);
		s = step(&c, data[i]);
		check_span(s, text, size - steps);
		check_parts(s);
		CHECK(cursor_left(&c) <= left);
		CHECK(c.end == text + (size - steps));
		CHECK(!has_failed || (c.failed && !s.size));
		has_failed = c.failed;
		CHECK(!has_failed || cursor_at_end(&c));
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Escaping: every byte, every boundary of UTF-8, and what may not reach a terminal. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/escape.h"

typedef void escape_fn(struct buffer *out, const char *text, size_t size);

static void check_size(escape_fn *escape, const char *text, size_t size, const char *wanted)
{
	struct buffer b = { 0 };

	escape(&b, text, size);
	assert_false(buffer_failed(&b));
	assert_string_equal(buffer_cstr(&b), wanted);
	assert_int_equal(b.size, strlen(wanted));
	buffer_fini(&b);
}

static void check(escape_fn *escape, const char *text, const char *wanted)
{
	check_size(escape, text, strlen(text), wanted);
}

static void test_utf8(void **state)
{
	static const struct {
		const char *text;
		size_t length;
	} cases[] = {
		{ "", 0 },
		{ "a", 1 },
		{ "\x7f", 1 },
		{ "\x80", 0 },
		{ "\xbf", 0 },
		{ "\xc0\x80", 0 },
		{ "\xc1\xbf", 0 },
		{ "\xc2\x80", 2 },
		{ "\xc2", 0 },
		{ "\xc2\x7f", 0 },
		{ "\xc2\xc0", 0 },
		{ "\xdf\xbf", 2 },
		{ "\xe0\x9f\xbf", 0 },
		{ "\xe0\xa0\x80", 3 },
		{ "\xe0\xa0", 0 },
		{ "\xed\x9f\xbf", 3 },
		{ "\xed\xa0\x80", 0 },
		{ "\xed\xbf\xbf", 0 },
		{ "\xee\x80\x80", 3 },
		{ "\xef\xbf\xbf", 3 },
		{ "\xf0\x8f\xbf\xbf", 0 },
		{ "\xf0\x90\x80\x80", 4 },
		{ "\xf4\x8f\xbf\xbf", 4 },
		{ "\xf4\x90\x80\x80", 0 },
		{ "\xf5\x80\x80\x80", 0 },
		{ "\xf0\x9f\x98", 0 },
		{ "\xf0\x9f\x98\x41", 0 },
		{ "\xff", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			utf8_length(cases[i].text, strlen(cases[i].text)), cases[i].length);
	assert_int_equal(utf8_length("\0", 1), 1);
	assert_int_equal(utf8_length("\xc3\xa9", 1), 0);
}

static void test_terminal(void **state)
{
	(void)state;
	check(escape_terminal, "", "");
	check(escape_terminal, "plain text, 1 (two) \\x1b", "plain text, 1 (two) \\x1b");
	check(escape_terminal, "a\nb\tc\rd", "a\\nb\\tc\\rd");
	check(escape_terminal, "\x1b[31mred\x1b[0m\a", "\\x1b[31mred\\x1b[0m\\x07");
	check(escape_terminal, "\x7f", "\\x7f");
	check_size(escape_terminal, "a\0b", 3, "a\\x00b");
	check(escape_terminal, "caf\xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x98\x80",
		"caf\xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x98\x80");
	check(escape_terminal,
		"\xc2\x9b"
		"31m",
		"\\xc2\\x9b31m"); /* C1 CSI as UTF-8 */
	check(escape_terminal,
		"\x9b"
		"31m",
		"\\x9b31m");				/* and as a byte */
	check(escape_terminal, "\xc2\xa0", "\xc2\xa0"); /* the first behind C1 */
	check(escape_terminal,
		"\xe2\x80\xae"
		"txt.exe",
		"\\xe2\\x80\\xaetxt.exe");
	check(escape_terminal, "\xe2\x81\xa6", "\\xe2\\x81\\xa6"); /* isolate */
	check(escape_terminal, "\xe2\x80\x8b", "\\xe2\\x80\\x8b"); /* zero width space */
	check(escape_terminal, "\xef\xbb\xbf", "\\xef\\xbb\\xbf"); /* byte order mark */
	check(escape_terminal, "\xe2\x80\xa8", "\\xe2\\x80\\xa8"); /* line separator */
	check(escape_terminal, "\xe2\x80\xa9", "\\xe2\\x80\\xa9");
	check(escape_terminal, "\xd8\x9c", "\\xd8\\x9c");		    /* Arabic letter mark */
	check(escape_terminal, "\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81"); /* tag A */
	check(escape_terminal, "\xe2\x80\x90", "\xe2\x80\x90"); /* a hyphen next to them */
	check(escape_terminal, "\xc3", "\\xc3");
	check(escape_terminal, "\xe6\xbc", "\\xe6\\xbc");
	check(escape_terminal, "\xed\xa0\x80", "\\xed\\xa0\\x80");
}

/* No byte alone, and no pair of bytes, leaves something a terminal would obey. */
static void test_terminal_all(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair < 65536; pair++) {
		char text[2] = { (char)(pair >> 8), (char)pair };
		struct buffer b = { 0 };

		escape_terminal(&b, text, 2);
		for (size_t i = 0; i < b.size; i++) {
			size_t length = utf8_length((char *)b.data + i, b.size - i);

			assert_true(length > 0);
			assert_true(b.data[i] >= 0x20 && b.data[i] != 0x7f);
			assert_false(length == 2 && b.data[i] == 0xc2 && b.data[i + 1] < 0xa0);
			i += length - 1;
		}
		buffer_fini(&b);
	}
}

static void test_json(void **state)
{
	(void)state;
	check(escape_json, "", "");
	check(escape_json, "a/b 'c'", "a/b 'c'");
	check(escape_json, "\"\\\b\f\n\r\t", "\\\"\\\\\\b\\f\\n\\r\\t");
	check_size(escape_json, "\0\x01\x1f", 3, "\\u0000\\u0001\\u001f");
	check(escape_json, "\x7f\xc2\x9b", "\\u007f\\u009b");
	check(escape_json, "</script>&", "\\u003c/script\\u003e\\u0026");
	check(escape_json, "\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029");
	/* Characters that reorder or hide text are escapes, of two units above U+FFFF. */
	check(escape_json,
		"a\xe2\x80\xae"
		"b\xe2\x81\xa6",
		"a\\u202eb\\u2066");
	check(escape_json, "\xe2\x80\x8b\xef\xbb\xbf\xc2\xad", "\\u200b\\ufeff\\u00ad");
	check(escape_json, "\xf3\xa0\x81\x81", "\\udb40\\udc41");
	check(escape_json, "\xff\xc3\xa9\xc3", "\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd");
	check(escape_json, "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	check(escape_json, "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80");
}

static void test_xml(void **state)
{
	(void)state;
	check(escape_xml, "", "");
	check(escape_xml, "<a b='c' d=\"e\">&amp;</a>",
		"&lt;a b=&apos;c&apos; d=&quot;e&quot;&gt;&amp;amp;&lt;/a&gt;");
	check(escape_xml, "a\tb\nc\rd", "a\\tb\\nc\\rd");
	check_size(escape_xml, "\0\x08\x0b\x0c\x0e\x1f", 6, "\\x00\\x08\\x0b\\x0c\\x0e\\x1f");
	check(escape_xml, "\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd",
		"\\xef\\xbf\\xbe\\xef\\xbf\\xbf\xef\xbf\xbd");
	check(escape_xml, "\xc3\xa9\x80", "\xc3\xa9\\x80");
	check(escape_xml, "a\xe2\x80\xae<", "a\\xe2\\x80\\xae&lt;");
	check(escape_xml, "\xc2\x9b\x7f", "\\xc2\\x9b\\x7f");
}

/* No escaper lets through what reorders, hides or joins text. */
static void test_hidden_everywhere(void **state)
{
	static const char *const hidden[] = { "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac",
		"\xe2\x80\xad", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa7", "\xe2\x81\xa8",
		"\xe2\x81\xa9", "\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d", "\xe2\x80\x8e",
		"\xe2\x80\x8f", "\xef\xbb\xbf", "\xd8\x9c", "\xc2\x80", "\xc2\x85", "\xc2\x9b",
		"\xc2\x9d", "\xc2\x9f", "\x7f", "\x1b", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xc2\xad",
		"\xe2\x81\xa0", "\xf3\xa0\x81\x81", "\t", "\n", "\r" };
	static escape_fn *const escapers[] = { escape_terminal, escape_json, escape_xml };

	(void)state;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		for (size_t k = 0; k < sizeof(escapers) / sizeof(escapers[0]); k++) {
			struct buffer b = { 0 };

			escapers[k](&b, hidden[i], strlen(hidden[i]));
			assert_null(strstr(buffer_cstr(&b), hidden[i]));
			assert_int_equal(b.data[0], '\\');
			buffer_fini(&b);
		}
	}
}

/* The ends of the ranges of what is drawn as nothing or joins; their neighbors and wide spaces
 * stay.
 */
static void test_hidden_ranges(void **state)
{
	static const char *const hidden[] = { "\u0600", "\u0605", "\u06dd", "\u070f", "\u0890",
		"\u0891", "\u08e2", "\u2800", "\U000110bd", "\U000110cd", "\U00013430",
		"\U00013438", "\U0001343f", "\U00013442", "\U00016fe4", "\U0001d159" };
	static const char *const drawn[] = { "\u0606", "\u06de", "\u0710", "\u088f", "\u2801",
		"\u27ff", "\U000110be", "\U0001342f", "\U0001d158", "\u00a0", "\u2003", "\u3000" };

	(void)state;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		struct buffer b = { 0 };

		escape_terminal(&b, hidden[i], strlen(hidden[i]));
		assert_int_equal(b.size, 4 * strlen(hidden[i]));
		buffer_fini(&b);
	}
	for (size_t i = 0; i < sizeof(drawn) / sizeof(drawn[0]); i++)
		check(escape_terminal, drawn[i], drawn[i]);
}

static void test_limit(void **state)
{
	struct buffer b = { .limit = 5 };

	(void)state;
	escape_terminal(&b, "abc\n", 4);
	assert_false(buffer_failed(&b));
	escape_terminal(&b, "\n", 1);
	assert_true(buffer_failed(&b));
	assert_int_equal(b.size, 5);
	escape_json(&b, "x", 1);
	assert_int_equal(b.size, 5);
	buffer_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_terminal_all),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_xml),
		cmocka_unit_test(test_hidden_everywhere),
		cmocka_unit_test(test_hidden_ranges),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

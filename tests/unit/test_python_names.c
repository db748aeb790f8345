/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code objects of Python, read from this process: texts of all kinds of letters, and objects that
 * are not what they were at the sample, which have no name.
 */
#include "support.h"

#include <unistd.h>

#include "os/linux/runtimes/python/python.h"
#include "os/linux/runtimes/python/python_code.h"
#include "os/linux/runtimes/python/python_layout.h"

#define ASCII	 (1u << 5 | 1u << 6 | 1u << 7 | 1u << 2)
#define FILE_KEY 7
#define KIND(k)	 (1u << 5 | 1u << 7 | (k) << 2)

struct python_text {
	uint64_t count, type, length, hash;
	uint32_t state, unused;
	uint64_t wide;
	union {
		char ascii[64];
		struct {
			uint64_t more[3];
			union {
				uint8_t one[64];
				uint16_t two[64];
				uint32_t four[64];
			};
		};
	};
};

static struct python_text name, file;
static uint64_t code[32];
static uint64_t type[2];
static struct profile_python python;
static struct profile_raw raw;
static struct python_words words = { .file = FILE_KEY };
static struct profile_raw_python frame;
static struct names texts;
static struct python names;

static void set_ascii(struct python_text *t, const char *letters)
{
	*t = (struct python_text){ .count = 1, .length = strlen(letters), .state = ASCII };
	strcpy(t->ascii, letters);
}

static void set_line(uint32_t line)
{
	memcpy((char *)code + python.layout.code_line, &line, sizeof(line));
}

static void begin(void)
{
	uint64_t file = FILE_KEY;
	struct profile_python *kept;

	names_init(&texts, 64, 65536);
	names = (struct python){ .of = { .map = -1, .names = &texts }, .words = &words };
	map_init(&names.of.files, sizeof(uint64_t), sizeof(struct profile_python), 1);
	runtime_python.init(&names);
	kept = map_put(&names.of.files, &file, NULL);
	assert_non_null(kept);
	*kept = python;
}

static void end(void)
{
	runtime_python.fini(&names);
	map_fini(&names.of.files);
	timeout_fini(&names.of.timeout);
	names_fini(&texts);
}

static int setup(void **state)
{
	(void)state;
	assert_true(python_layout_find(&python.layout, 0x030b02f0, NULL, 0));
	begin();
	memset(code, 0, sizeof(code));
	code[0] = 1;
	code[1] = (uint64_t)(uintptr_t)type;
	code[python.layout.code_file / 8] = (uint64_t)(uintptr_t)&file;
	code[python.layout.code_name / 8] = (uint64_t)(uintptr_t)&name;
	set_line(7);
	set_ascii(&name, "Shop.open");
	set_ascii(&file, "/app/shop.py");
	raw = (struct profile_raw){ .record = { .pid = (uint32_t)getpid() } };
	words.type = (uint64_t)(uintptr_t)type;
	frame = (struct profile_raw_python){ (uint64_t)(uintptr_t)code, (uint64_t)(uintptr_t)&name,
		7 | PYTHON_IS_ENTRY };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	end();
	return 0;
}

static void assert_name(const char *wanted)
{
	uint32_t number = python_put(&names, &raw, &frame);
	const char *function;

	assert_int_not_equal(number, NAMES_NONE);
	function = names_get(&texts, number).data;
	assert_string_equal(function, wanted);
	assert_string_equal(function + strlen(function) + 1, "/app/shop.py:7");
}

static void assert_none(void)
{
	assert_int_equal(python_put(&names, &raw, &frame), NAMES_NONE);
}

static void test_ascii(void **state)
{
	(void)state;
	assert_name("Shop.open");
}

static void test_letters(void **state)
{
	(void)state;
	name.length = 2;
	name.state = KIND(1u);
	name.one[0] = 'G';
	name.one[1] = 0xf6;
	assert_name("G\xc3\xb6");
	end();
	begin();
	name.state = KIND(2u);
	name.two[0] = 0x6c34;
	name.two[1] = 'x';
	assert_name("\xe6\xb0\xb4x");
	end();
	begin();
	name.state = KIND(4u);
	name.four[0] = 0x1f600;
	name.four[1] = 'y';
	assert_name("\xf0\x9f\x98\x80y");
}

/* The object was freed, and its memory is something else now. */
static void test_other_object(void **state)
{
	static uint64_t other[2];
	struct python_text moved;

	(void)state;
	words.type = (uint64_t)(uintptr_t)other;
	assert_none();
	words.type = (uint64_t)(uintptr_t)type;
	set_line(8);
	assert_none();
	set_line(7);
	moved = name;
	code[python.layout.code_name / 8] = (uint64_t)(uintptr_t)&moved;
	assert_none();
	code[python.layout.code_name / 8] = (uint64_t)(uintptr_t)&name;
	code[0] = 0;
	assert_none();
	code[0] = 1;
	assert_name("Shop.open");
}

static void test_no_text(void **state)
{
	static const uint32_t states[] = { 0, KIND(0u), KIND(3u), 1u << 2 | 1u << 5,
		1u << 2 | 1u << 7, KIND(2u) | 1u << 6 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		name.state = states[i];
		assert_none();
	}
	name.state = ASCII;
	name.length = 0;
	assert_none();
	name.length = 1ull << 40;
	assert_none();
	name.length = 3;
	memcpy(name.ascii, "a\0b", 3);
	assert_none();
	memcpy(name.ascii, "a\x80g", 3);
	assert_none();
	name.state = KIND(2u);
	name.length = 1;
	name.two[0] = 0xd800;
	assert_none();
}

static void test_unreadable(void **state)
{
	(void)state;
	frame.code = 16;
	assert_none();
	frame.code = (uint64_t)(uintptr_t)code;
	code[python.layout.code_file / 8] = 16;
	assert_none();
}

static struct profile_python_text text_of(const struct python_text *t, size_t from)
{
	struct profile_python_text text = { .length = t->length, .state = t->state };

	memcpy(text.letters, (const char *)t + from, 64);
	return text;
}

/* The record of the name as the kernel side reads it. */
static struct profile_python_name sent_name(void)
{
	return (struct profile_python_name){ .of.record = raw.record,
		.frame = frame,
		.file = FILE_KEY,
		.name = text_of(&name, python.layout.text_ascii),
		.path = text_of(&file, python.layout.text_ascii) };
}

/* The process is gone by then. */
static void test_sent(void **state)
{
	struct profile_python_name sent;

	(void)state;
	raw.record.pid = 1u << 23;
	sent = sent_name();
	assert_none();
	runtime_python.take(&names, &sent.of);
	assert_name("Shop.open");
	frame.code++;
	assert_none();
}

/* Too long to be sent, of another file, no text: the process is read. */
static void test_sent_unusable(void **state)
{
	static const struct {
		uint64_t length;
		uint32_t state;
	} wrong[] = { { 256, ASCII }, { UINT64_MAX, ASCII }, { 0, ASCII }, { 64, KIND(4u) },
		{ 9, 0 } };
	struct profile_python_name sent = sent_name();

	(void)state;
	sent.frame.code = sent.frame.code + 8;
	frame = sent.frame;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		sent.name.length = wrong[i].length;
		sent.name.state = wrong[i].state;
		runtime_python.take(&names, &sent.of);
		assert_none();
	}
	sent = sent_name();
	sent.file++;
	runtime_python.take(&names, &sent.of);
	assert_none();
	sent.file--;
	sent.path.length = 1000;
	runtime_python.take(&names, &sent.of);
	assert_none();
	sent = sent_name();
	runtime_python.take(&names, &sent.of);
	assert_name("Shop.open");
}

/* A text without the bit that 3.12 does not have, and letters where it has them. */
static void test_later(void **state)
{
	(void)state;
	assert_true(python_layout_find(&python.layout, 0x030c01f0, NULL, 0));
	end();
	begin();
	set_line(7);
	assert_none(); /* the letters are elsewhere */
	for (struct python_text *t = &name;; t = &file) {
		memmove((char *)t + python.layout.text_ascii, t->ascii, sizeof(t->ascii) - 8);
		t->state &= ~(1u << 7);
		if (t == &file)
			break;
	}
	assert_name("Shop.open");
}

/* Tables for debuggers: their words, as they stand in the files of 3.13.0 and 3.14.8. */
static const uint64_t debug_3_13[PYTHON_DEBUG_BYTES / 8] = { 0, 0x030d00f0, 0, 283320, 608, 632,
	194968, 7272, 7264, 7344, 7400, 7656, 7640, 7648, 16, 7752, 0, 7768, 7760, 304, 0, 8, 16,
	72, 152, 160, 232, 32, 80, 8, 0, 56, 72, 70, 208, 112, 120, 128, 136, 68, 52, 96, 104, 200,
	16, 8, 416, 24, 88, 168, 32, 24, 16, 40, 24, 16, 48, 32, 40, 24, 16, 32, 16, 24, 40, 16, 32,
	64, 32, 16, 40 };
static const uint64_t debug_3_14[PYTHON_DEBUG_BYTES / 8] = { 0, 0x30e08f0, 0, 316616, 784, 808,
	225864, 7280, 7272, 7344, 7360, 7408, 7688, 7672, 7680, 16, 7784, 0, 7800, 7792, 7992, 0,
	832, 0, 8, 16, 72, 152, 160, 232, 32, 88, 8, 0, 56, 80, 74, 64, 0, 216, 112, 120, 128, 136,
	68, 52, 96, 104, 208, 0, 16, 8, 416, 24, 88, 168, 40, 32, 16, 40, 24, 16, 200, 24, 40, 32,
	48, 32, 40, 24, 16, 32, 16, 24, 40, 16, 32, 64, 32, 16, 40 };

static bool find_debug(
	struct python_layout *found, const uint64_t *table, size_t at, uint64_t value)
{
	uint64_t words[PYTHON_DEBUG_BYTES / 8];

	memcpy(words, table, sizeof(words));
	memcpy(words, "xdebugpy", 8);
	words[at] = at ? value : words[at];
	return python_layout_find(
		found, (uint32_t)table[1], (const unsigned char *)words, sizeof(words));
}

static void test_for_debuggers(void **state)
{
	struct python_layout found = { 0 };

	(void)state;
	assert_true(find_debug(&found, debug_3_13, 0, 0));
	assert_int_equal(found.interpreters, 632);
	assert_int_equal(found.next_interpreter, 7264);
	assert_int_equal(found.threads, 7344);
	assert_int_equal(found.current, 7760);
	assert_int_equal(found.thread_frame, 72);
	assert_int_equal(found.thread_id, 152);
	assert_int_equal(found.frame_previous, 8);
	assert_int_equal(found.frame_mark, 70);
	assert_int_equal(found.code_name, 128);
	assert_int_equal(found.code_line, 68);
	assert_int_equal(found.frame_unit, 56);
	assert_int_equal(found.code_table, 136);
	assert_int_equal(found.code_units, 200);
	assert_int_equal(found.text_other, 56);
	assert_false(find_debug(&found, debug_3_13, 1, 0x030d01f0)); /* of another version */
	assert_false(find_debug(&found, debug_3_13, 2, 1)); /* without the lock: other objects */
	assert_false(find_debug(&found, debug_3_13, 9, 1ull << 40));
	assert_false(find_debug(&found, debug_3_13, 37, 300)); /* behind the object */
	assert_false(find_debug(&found, debug_3_13, 45, 16));
	assert_false(find_debug(&found, debug_3_13, 68, 24));
}

/* The offsets of Include/internal of 3.14, 64-bit. */
static void test_for_debuggers_3_14(void **state)
{
	struct python_layout found = { 0 };

	(void)state;
	assert_true(find_debug(&found, debug_3_14, 0, 0));
	assert_int_equal(found.thread_frame, 72);
	assert_int_equal(found.frame_code, 0);
	assert_int_equal(found.frame_previous, 8);
	assert_int_equal(found.frame_mark, 74);
	assert_int_equal(found.code_name, 128); /* the one with the class */
	assert_int_equal(found.code_line, 68);
	assert_int_equal(found.frame_unit, 56);
	assert_int_equal(found.code_table, 136);
	assert_int_equal(found.code_units, 208);
	assert_int_equal(found.text_ascii, 40);
	assert_false(find_debug(&found, debug_3_14, 1, 0x030e00f0));
	assert_false(find_debug(&found, debug_3_14, 42, 1u << 19));
	assert_false(find_debug(&found, debug_3_14, 51, 16));
}

/* The table of a function of 3.11 with a list, a loop and a call over several lines. */
static void test_lines(void **state)
{
	static const unsigned char table[] = { 0x80, 0x00, 0xd8, 0x08, 0x09, 0x80, 0x41, 0xf0, 0x06,
		0x00, 0x09, 0x0a, 0xd8, 0x08, 0x09, 0xf0, 0x05, 0x03, 0x09, 0x06, 0x80, 0x41, 0xf0,
		0x08, 0x00, 0x0e, 0x0f, 0xf0, 0x00, 0x02, 0x05, 0x0d, 0xf0, 0x00, 0x02, 0x05, 0x0d,
		0x88, 0x01, 0xdd, 0x08, 0x09, 0x88, 0x21, 0xd8, 0x0a, 0x0b, 0xf1, 0x03, 0x01, 0x09,
		0x0d, 0xf4, 0x00, 0x01, 0x09, 0x0d, 0xf0, 0x00, 0x01, 0x09, 0x0d, 0xf0, 0x00, 0x01,
		0x09, 0x0d, 0xf0, 0x06, 0x00, 0x09, 0x0a, 0xf0, 0x03, 0x02, 0x05, 0x06 };
	static const uint8_t lines[][2] = { { 0, 1 }, { 2, 2 }, { 6, 5 }, { 8, 6 }, { 10, 4 },
		{ 20, 8 }, { 22, 9 }, { 36, 10 }, { 38, 9 }, { 54, 9 }, { 56, 12 }, { 58, 11 } };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(
			python_code_line(table, sizeof(table), 1, lines[i][0]), lines[i][1]);
	assert_int_equal(python_code_line(table, sizeof(table), 1, 60), 0);
	assert_int_equal(python_code_line(table, 8, 1, 58), 0); /* cut off */
	assert_int_equal(python_code_line(table, 0, 1, 0), 0);
	assert_int_equal(python_code_line((const unsigned char *)"\xe8\x43", 2, 1, 0), 0);
}

static void test_versions(void **state)
{
	struct python_layout found;

	(void)state;
	assert_true(python_layout_find(&found, 0x030900f0, NULL, 0));
	assert_true(python_layout_find(&found, 0x030b00f0, NULL, 0));
	assert_false(python_layout_find(&found, 0x030b00c2, NULL, 0)); /* not yet released */
	assert_false(python_layout_find(&found, 0x03080df0, NULL, 0));
	assert_false(python_layout_find(&found, 0x030d00f0, NULL, 0));
	assert_false(python_layout_find(&found, 0x030e00f0, NULL, 0));
	assert_false(python_layout_find(&found, 0x030f00f0, NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ascii, setup, teardown),
		cmocka_unit_test_setup_teardown(test_letters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_object, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sent_unusable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_later, setup, teardown),
		cmocka_unit_test(test_for_debuggers),
		cmocka_unit_test(test_for_debuggers_3_14),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

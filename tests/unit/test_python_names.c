/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code objects of Python, read from this process: texts of all kinds of letters, and objects that
 * are not what they were at the sample, which have no name.
 */
#include "support.h"

#include <unistd.h>

#include "os/linux/profile/python_names.h"

#define ASCII	(1u << 5 | 1u << 6 | 1u << 7 | 1u << 2)
#define KIND(k)	(1u << 5 | 1u << 7 | (k) << 2)

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
static uint64_t code[PYTHON_CODE_NAME / 8 + 1];
static uint64_t type[2];
static struct profile_raw raw;
static struct profile_raw_python frame;
static struct python_names names;

static void set_ascii(struct python_text *t, const char *letters)
{
	*t = (struct python_text){ .count = 1, .length = strlen(letters), .state = ASCII };
	strcpy(t->ascii, letters);
}

static void set_line(uint32_t line)
{
	memcpy((char *)code + PYTHON_CODE_LINE, &line, sizeof(line));
}

static int setup(void **state)
{
	(void)state;
	python_names_init(&names, -1, NULL);
	memset(code, 0, sizeof(code));
	code[0] = 1;
	code[1] = (uint64_t)(uintptr_t)type;
	code[PYTHON_CODE_FILE / 8] = (uint64_t)(uintptr_t)&file;
	code[PYTHON_CODE_NAME / 8] = (uint64_t)(uintptr_t)&name;
	set_line(7);
	set_ascii(&name, "Shop.open");
	set_ascii(&file, "/app/shop.py");
	raw = (struct profile_raw){ .record = { .pid = (uint32_t)getpid() },
		.python_type = (uint64_t)(uintptr_t)type };
	frame = (struct profile_raw_python){ (uint64_t)(uintptr_t)code, (uint64_t)(uintptr_t)&name,
		7 | PYTHON_IS_ENTRY };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	python_names_fini(&names);
	return 0;
}

static void assert_name(const char *wanted)
{
	uint32_t number = python_names_put(&names, &raw, &frame);
	const char *function, *path;

	assert_int_not_equal(number, PYTHON_NAME_NONE);
	python_names_get(&names, number, &function, &path);
	assert_string_equal(function, wanted);
	assert_string_equal(path, "/app/shop.py:7");
}

static void assert_none(void)
{
	assert_int_equal(python_names_put(&names, &raw, &frame), PYTHON_NAME_NONE);
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
	python_names_fini(&names);
	python_names_init(&names, -1, NULL);
	name.state = KIND(2u);
	name.two[0] = 0x6c34;
	name.two[1] = 'x';
	assert_name("\xe6\xb0\xb4x");
	python_names_fini(&names);
	python_names_init(&names, -1, NULL);
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
	raw.python_type = (uint64_t)(uintptr_t)other;
	assert_none();
	raw.python_type = (uint64_t)(uintptr_t)type;
	set_line(8);
	assert_none();
	set_line(7);
	moved = name;
	code[PYTHON_CODE_NAME / 8] = (uint64_t)(uintptr_t)&moved;
	assert_none();
	code[PYTHON_CODE_NAME / 8] = (uint64_t)(uintptr_t)&name;
	code[0] = 0;
	assert_none();
	code[0] = 1;
	assert_name("Shop.open");
}

static void test_no_text(void **state)
{
	static const uint32_t states[] = { 0, KIND(0u), KIND(3u), 1u << 2 | 1u << 5, 1u << 2 | 1u << 7,
		KIND(2u) | 1u << 6 };

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
	code[PYTHON_CODE_FILE / 8] = 16;
	assert_none();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ascii, setup, teardown),
		cmocka_unit_test_setup_teardown(test_letters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_object, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

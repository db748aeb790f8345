/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of V8, from an image of its objects in the layouts of node 20 and of node 24: named
 * where everything fits together, refused where one thing does not. No changed word of the image
 * gives the name of another function.
 */
#include "support.h"

#include "os/linux/runtimes/v8/v8_frame.h"

#define BASE 0x10000
#define SIZE 0x4000
#define TAG  1

enum {
	MAPS = BASE + 0x100, /* 16 bytes apart, by kind */
	SHARED = BASE + 0x600,
	SCOPE = BASE + 0x700,
	OUTER = BASE + 0x900,
	SCRIPT = BASE + 0xa00,
	NAME = BASE + 0xb00,
	INFERRED = BASE + 0xc00,
	PATH = BASE + 0xd00,
	FIRST = BASE + 0xe00,
	SECOND = BASE + 0xf00,
	EMPTY = BASE + 0x1000,
	LETTERS = BASE + 0x1100,
	LOCAL = BASE + 0x1200,
	OTHER = BASE + 0x2000, /* the same objects of another function */
};

enum {
	TYPE_SEQ = 8,
	TYPE_SEQ_WIDE = 0,
	TYPE_CONS = 41,
	TYPE_EXTERNAL = 42,
	TYPE_THIN = 45,
	TYPE_SCRIPT = 167,
	TYPE_SCOPE = 261,
	TYPE_SHARED = 262,
	TYPE_ODDBALL = 131
};

#define PC 0x7f0000001000

static unsigned char image[SIZE];
static struct v8_frame frame;
static unsigned char code[96];

static bool read_image(void *user, uint64_t address, void *out, size_t size)
{
	(void)user;
	if (address < BASE || address - BASE > SIZE || size > SIZE - (address - BASE))
		return false;
	memcpy(out, image + (address - BASE), size);
	return true;
}

static void put(uint64_t address, uint64_t word)
{
	memcpy(image + (address - BASE), &word, sizeof(word));
}

static void put_type(uint64_t object, uint16_t type)
{
	uint64_t map = MAPS + 16 * (type % 64);

	put(object, map + TAG);
	memcpy(image + (map + 12 - BASE), &type, sizeof(type));
}

static void put_text(uint64_t at, uint16_t type, const void *letters, uint32_t length, size_t bytes)
{
	put_type(at, type);
	put(at + 8, (uint64_t)length << 32);
	memcpy(image + (at + 16 - BASE), letters, bytes);
}

static uint64_t small(int64_t value)
{
	return (uint64_t)value << 32;
}

static const struct v8_layout layout_20 = {
	.shared = { .map_type = 12,
		.function_shared = 24,
		.shared_name = 16,
		.shared_script = 32,
		.shared = TYPE_SHARED },
	.tag = 1,
	.tag_mask = 3,
	.tagged_bytes = 8,
	.smi_shift = 31,
	.smi_value_shift = 1,
	.type_scope = TYPE_SCOPE,
	.type_script = TYPE_SCRIPT,
	.type_debug = 153,
	.type_nonstring = 128,
	.string_mask = 7,
	.string_encoding = 8,
	.string_one_byte = 8,
	.string_cons = 1,
	.string_external = 2,
	.string_sliced = 3,
	.string_thin = 5,
	.string_length = 12,
	.string_letters = 16,
	.cons_first = 16,
	.cons_second = 24,
	.sliced_parent = 16,
	.sliced_offset = 24,
	.thin_actual = 16,
	.external_resource = 16,
	.scope_locals = 2,
	.scope_first = 3,
	.script_name = 16,
	.script_source = 8,
	.kind_regexp = 27,
	.kind_wasm = 4,
};

static void put_function(const struct v8_layout *l, uint64_t shift, const char *name)
{
	bool is_new = l->scope_first > 3;
	uint64_t at = SCOPE + shift + 32;

	put_type(SHARED + shift, TYPE_SHARED);
	put(SHARED + shift + l->shared.shared_name, SCOPE + shift + TAG);
	put(SHARED + shift + l->shared.shared_script, SCRIPT + TAG);
	put_type(SCOPE + shift, TYPE_SCOPE);
	put(SCOPE + shift + 8, is_new ? 0x4171e4 : small(0x4171e2));
	put(SCOPE + shift + 24, small(1));
	if (is_new) {
		put(at, small(40));
		put(at + 8, small(90));
		at += 16;
	}
	put(at, LOCAL + TAG);
	put(at + 8, small(1));
	put(at + 16, NAME + shift + TAG);
	put(at + 24, small(-1));
	put(at + 32, INFERRED + shift + TAG);
	at += 40;
	if (!is_new) {
		put(at, small(40));
		put(at + 8, small(90));
		at += 16;
	}
	put(at, OUTER + TAG);
	put_type(OUTER, TYPE_SCOPE);
	put_text(NAME + shift, TYPE_SEQ, name, (uint32_t)strlen(name), strlen(name));
	put_text(INFERRED + shift, TYPE_ODDBALL, "", 0, 0);
	put_text(LOCAL, TYPE_SEQ, "v", 1, 1);
}

static void make(bool is_new)
{
	struct v8_layout l = layout_20;

	if (is_new) {
		l.shared.shared_name = 24;
		l.shared.shared_script = 40;
		l.scope_first = 5;
	}
	memset(image, 0, sizeof(image));
	put_function(&l, 0, "submitOrder");
	put_function(&l, OTHER - BASE, "another");
	put_type(SCRIPT, TYPE_SCRIPT);
	put(SCRIPT + 16, PATH + TAG);
	put_text(PATH, TYPE_SEQ, "/app/shop.js", 12, 12);
	frame = (struct v8_frame){ .layout = l,
		.raw = { .of.index = 1,
			.callee = SCRIPT + TAG,
			.executable = SHARED + TAG,
			.name = SCOPE + TAG } };
}

static void assert_name(const char *name, const char *script)
{
	v8_frame_read(&frame, read_image, NULL);
	assert_int_equal(frame.refusal, V8_NAMED);
	assert_string_equal(frame.text, name);
	assert_string_equal(frame.text + strlen(frame.text) + 1, script);
}

static void assert_refused(enum v8_refusal refusal)
{
	v8_frame_read(&frame, read_image, NULL);
	assert_int_equal(frame.refusal, refusal);
	assert_int_equal(frame.size, 0);
}

static void test_named(void **state)
{
	(void)state;
	for (int is_new = 0; is_new < 2; is_new++) {
		make(is_new);
		assert_name("submitOrder", "/app/shop.js");
		assert_int_equal(frame.position, 40);
	}
}

static void test_inferred(void **state)
{
	(void)state;
	make(false);
	put_text(NAME, TYPE_SEQ, "", 0, 0);
	put_text(INFERRED, TYPE_CONS, "", 11, 0);
	put(INFERRED + 16, FIRST + TAG);
	put(INFERRED + 24, SECOND + TAG);
	put_text(FIRST, TYPE_SEQ, "Shop.", 5, 5);
	put_text(SECOND, TYPE_THIN, "", 6, 0);
	put(SECOND + 16, EMPTY + TAG);
	put_text(EMPTY, TYPE_EXTERNAL, "", 6, 0);
	put(EMPTY + 24, LETTERS);
	memcpy(image + (LETTERS - BASE), "submit", 6);
	assert_name("Shop.submit", "/app/shop.js");
	/* Halves of halves of themselves. */
	put(INFERRED + 16, INFERRED + TAG);
	assert_refused(V8_NO_TEXT);
	put_text(INFERRED, TYPE_ODDBALL, "", 0, 0);
	assert_name("", "/app/shop.js");
}

static void test_letters(void **state)
{
	static const uint16_t wide[] = { 0x9762, 0x7a4d, 0xd83d, 0xde00 },
			      half[] = { 0x61, 0xd83d };
	static const unsigned char narrow[] = { 'g', 'r', 0xf6, 0xdf, 'e' };

	(void)state;
	make(true);
	put_text(NAME, TYPE_SEQ_WIDE, wide, 4, sizeof(wide));
	assert_name("面積😀", "/app/shop.js");
	put_text(NAME, TYPE_SEQ, narrow, 5, 5);
	assert_name("größe", "/app/shop.js");
	put_text(NAME, TYPE_SEQ_WIDE, half, 2, sizeof(half));
	assert_refused(V8_NO_TEXT);
	put_text(NAME, TYPE_SEQ, "a\033b", 3, 3);
	assert_refused(V8_NO_TEXT);
	put_text(NAME, TYPE_SEQ, "long", V8_LETTERS_MAX + 1, 4);
	assert_refused(V8_NO_TEXT);
}

static void test_refused(void **state)
{
	(void)state;
	make(false);
	frame.raw.name = SCOPE + OTHER - BASE + TAG;
	assert_refused(V8_OTHER);
	make(false);
	frame.raw.callee = PATH + TAG;
	assert_refused(V8_OTHER);
	make(false);
	frame.raw.executable = BASE + SIZE + TAG;
	assert_refused(V8_UNREAD);
	/* A function of the engine: its name stands where a scope would. */
	make(false);
	put(SHARED + 16, NAME + TAG);
	frame.raw.name = NAME + TAG;
	assert_refused(V8_ENGINE);
}

static void test_kind(void **state)
{
	(void)state;
	make(false);
	frame.raw = (struct profile_raw_js){ .of.detail = V8_IS_KIND, .callee = 27 };
	assert_name("[regular expression]", "");
	frame.raw.callee = 3;
	assert_refused(V8_ENGINE);
}

/* Each word of the image, changed to each other word of it. */
static void test_perturbed(void **state)
{
	static const uint64_t words[] = { 0, 1, UINT64_MAX, SHARED + TAG, SCOPE + TAG, NAME + TAG,
		OUTER + TAG, EMPTY + TAG, SCRIPT + TAG, (uint64_t)70 << 32, (uint64_t)-1 << 32,
		OTHER + SCOPE - BASE + TAG };

	(void)state;
	for (size_t at = 0; at < OTHER - BASE; at += 8) {
		for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
			make(i % 2);
			put(BASE + at, words[i]);
			v8_frame_read(&frame, read_image, NULL);
			assert_true(frame.refusal || !strstr(frame.text, "another"));
			assert_true(frame.size <= sizeof(frame.text));
		}
	}
}

static bool read_code(void *user, uint64_t address, void *out, size_t size)
{
	(void)user;
	if (address < PC || address - PC > sizeof(code) || size > sizeof(code) - (address - PC))
		return false;
	memcpy(out, code + (address - PC), size);
	return true;
}

static void put_code(const char *bytes, size_t size)
{
	memset(code, 0x90, sizeof(code));
	memcpy(code, bytes, size);
}

#define PUT_CODE(bytes) put_code(bytes, sizeof(bytes) - 1)

static bool is_framed(size_t at)
{
	return v8_is_framed(read_code, NULL, PC + at);
}

static void test_framed(void **state)
{
	(void)state;
#if !defined(__x86_64__)
	skip();
#endif
	/* 10 bytes; mov -0x10(%rcx), %rbx; push %rbp; mov %rsp, %rbp; push %rsi; call */
	PUT_CODE(
		"\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x48\x8b\x59\xf0\x55\x48\x89\xe5\x56\xe8");
	assert_false(is_framed(10));
	assert_false(is_framed(14));
	assert_false(is_framed(15));
	assert_true(is_framed(18));
	/* mov %rbp, %rsp; pop %rbp; ret $8 */
	PUT_CODE("\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x48\x8b\xe5\x5d\xc2\x08\x00");
	assert_true(is_framed(10));
	assert_true(is_framed(13));
	assert_false(is_framed(14));
	/* mov $24, %ebx; movabs $1, %r12; call */
	PUT_CODE(
		"\x90\x90\x90\x90\x90\xbb\x18\0\0\0\x49\xbc\x01\0\0\0\0\0\0\0\xe8\0\0\0\0\xeb\xfe");
	assert_false(is_framed(10));
	assert_false(is_framed(20));
	assert_true(is_framed(25));
	assert_false(v8_is_framed(read_code, NULL, 4096));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_inferred),
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_kind),
		cmocka_unit_test(test_perturbed),
		cmocka_unit_test(test_framed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

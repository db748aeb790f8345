/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of JavaScriptCore, from an image of its objects: named where everything fits together,
 * refused where one thing does not. A layout that is wrong in any one place gives no other name.
 */
#include "support.h"

#include "os/linux/runtimes/jsc/jsc_frame.h"

#define BASE 0x10000
#define SIZE 0x4000

/* Places of the objects in the image. */
enum {
	CALLEE = BASE + 0x100,
	BLOCK = BASE + 0x300,
	EXECUTABLE = BASE + 0x500,
	UNLINKED = BASE + 0x700,
	UNLINKED_CODE = BASE + 0x900,
	CODE = BASE + 0xb00,
	RANGE = BASE + 0xf00,
	NAME = BASE + 0x1100,
	PROVIDER = BASE + 0x1200,
	URL = BASE + 0x1400,
	RARE = BASE + 0x1500,
	NATIVE = BASE + 0x1700,
	POOL = BASE + 0x1900,
	ORIGINS = BASE + 0x1a00,
	INLINED = BASE + 0x1b00, /* InlineCallFrames */
	OTHER = BASE + 0x2000,	 /* the same objects of another function */
};

#define PC 0x7f0000001000

static unsigned char image[SIZE];
static struct jsc_frame frame;

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

static void put_type(uint64_t cell, uint8_t type)
{
	image[cell - BASE + 5] = type;
}

static void put_text(uint64_t address, const char *text)
{
	put(address, 2 | (uint64_t)strlen(text) << 32);
	put(address + 8, address + 32);
	put(address + 16, 4);
	memcpy(image + (address + 32 - BASE), text, strlen(text));
}

static void put_function(const struct jsc_layout *l, uint64_t shift, const char *name)
{
	put_type(CALLEE + shift, l->type_function);
	put(CALLEE + shift + l->callee_executable, EXECUTABLE + shift);
	put_type(BLOCK + shift, l->type_block);
	put(BLOCK + shift + l->block_owner, EXECUTABLE + shift);
	put(BLOCK + shift + l->block_unlinked, UNLINKED_CODE + shift);
	put(BLOCK + shift + l->block_code, CODE + shift);
	put_type(EXECUTABLE + shift, l->type_executable);
	put(EXECUTABLE + shift + l->executable_provider, PROVIDER);
	put(EXECUTABLE + shift + l->executable_unlinked, UNLINKED + shift);
	put_type(UNLINKED + shift, l->type_unlinked);
	put(UNLINKED + shift + l->unlinked_start, (uint64_t)77 << l->start_shift);
	put(UNLINKED + shift + l->unlinked_code, UNLINKED_CODE + shift);
	put(UNLINKED + shift + l->unlinked_name, NAME + shift);
	put(CODE + shift + 8, (uint64_t)4 << 32);
	put(CODE + shift + l->code_range, RANGE + shift);
	put(RANGE + shift + l->range_at, l->range_kind == JSC_RANGE_SIZE ? (uint64_t)64 << 32 : PC);
	put(RANGE + shift + l->range_at + 8, l->range_kind == JSC_RANGE_SIZE ? PC : PC + 64);
	put_text(NAME + shift, name);
}

static const char *const known_builds[] = { "a9a0d18db4f98a86ad4778800c5fa46943f81b2e",
	"a9ea3707c32f242dc5ec7fee3c5fdd9bc99893b3", "2ba9a4dca997a53147167d7f967fdc840325054c",
	"e8f68a0473d0cd6287466a52f53c5d64f7cf0a69", "d72a729b5627657c0649e49ae9d771fec0783039" };

static void make(const struct jsc_layout *l)
{
	memset(image, 0, sizeof(image));
	put_function(l, 0, "submitOrder");
	put_function(l, OTHER - BASE, "another");
	put(PROVIDER + l->provider_url, URL);
	put_text(URL, "/home/user/app/shop.js");
	frame = (struct jsc_frame){ .layout = *l,
		.raw = { .of.index = 1,
			.block = BLOCK,
			.callee = CALLEE,
			.executable = EXECUTABLE | JSC_IS_PAIR,
			.name = NAME },
		.pc = PC + 8 };
}

static int setup(void **state)
{
	(void)state;
	make(jsc_layout_of(known_builds[0]));
	return 0;
}

static void assert_name(const char *name, const char *place)
{
	jsc_frame_read(&frame, read_image, NULL);
	assert_int_equal(frame.refusal, JSC_NAMED);
	assert_string_equal(frame.text, name);
	assert_string_equal(frame.text + strlen(frame.text) + 1, place);
}

static void assert_refused(enum jsc_refusal refusal)
{
	jsc_frame_read(&frame, read_image, NULL);
	assert_int_equal(frame.refusal, refusal);
	assert_int_equal(frame.size, 0);
}

static void test_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known_builds); i++) {
		make(jsc_layout_of(known_builds[i]));
		assert_name("submitOrder", "shop.js+77");
		frame.pc = 0; /* in the interpreter */
		assert_name("submitOrder", "shop.js+77");
	}
	assert_null(jsc_layout_of(""));
	assert_null(jsc_layout_of("00"));
}

/* Functions with rare data lead to their executable through it. */
static void test_rare(void **state)
{
	(void)state;
	put(CALLEE + frame.layout.callee_executable, RARE | 1);
	put(RARE + frame.layout.rare_executable, EXECUTABLE);
	assert_name("submitOrder", "shop.js+77");
	put(RARE + frame.layout.rare_executable, EXECUTABLE + OTHER - BASE);
	assert_refused(JSC_OTHER);
}

/* Each of them has been seen to catch a wrong name. */
static void test_invariants(void **state)
{
	static const uint64_t cells[] = { BLOCK, EXECUTABLE, UNLINKED };
	uint64_t shift = OTHER - BASE;

	for (size_t i = 0; i < ARRAY_SIZE(cells); i++) {
		setup(state);
		put_type(cells[i], 99);
		assert_refused(JSC_OTHER);
	}
	setup(state);
	put(BLOCK + frame.layout.block_owner, EXECUTABLE + shift);
	assert_refused(JSC_OTHER);
	setup(state);
	frame.raw.callee = CALLEE + shift;
	assert_refused(JSC_OTHER);
	setup(state);
	frame.raw.executable = EXECUTABLE; /* no pair at the sample */
	assert_refused(JSC_OTHER);
	setup(state);
	frame.raw.name = NAME + shift;
	assert_refused(JSC_OTHER);
	setup(state);
	frame.pc = 0;
	put(BLOCK + frame.layout.block_unlinked, UNLINKED_CODE + shift);
	assert_refused(JSC_OTHER);
	setup(state);
	frame.pc = PC - 1;
	assert_refused(JSC_OUTSIDE);
	frame.pc = PC + 64;
	assert_refused(JSC_OUTSIDE);
	frame.pc = PC + 63;
	assert_name("submitOrder", "shop.js+77");
	image[CODE - BASE + frame.layout.code_tier] = 2; /* the block is in the interpreter */
	assert_refused(JSC_OUTSIDE);
}

static void test_text(void **state)
{
	(void)state;
	put(NAME, 0 | (uint64_t)11 << 32); /* no references */
	assert_refused(JSC_NO_TEXT);
	put(NAME, 2 | (uint64_t)0x7fffffff << 32);
	assert_refused(JSC_NO_TEXT);
	put_text(NAME, "a\x1b[31m");
	assert_refused(JSC_NO_TEXT);
	put_text(NAME, "Gr\xf6\xdf"
		       "e"); /* Latin-1 */
	assert_name("Gr\xc3\xb6\xc3\x9f"
		    "e",
		"shop.js+77");
	put(NAME, 2 | (uint64_t)2 << 32);
	put(NAME + 16, 0); /* 16-bit */
	put(NAME + 32, 0x6c34 | 0x78 << 16);
	assert_name("\xe6\xb0\xb4x", "shop.js+77");
	put(NAME + 32, 0xd83d);
	assert_refused(JSC_NO_TEXT);
	put(NAME, 2);
	assert_name("[anonymous shop.js+77]", "shop.js+77");
}

/* The name is in cached bytecode: the place is known, if everything else fits. */
static void test_no_name_yet(void **state)
{
	(void)state;
	put(UNLINKED + frame.layout.unlinked_name, 0);
	assert_refused(JSC_OTHER); /* there was one at the sample */
	frame.raw.name = 0;
	assert_name("[function shop.js+77]", "shop.js+77");
	put(BLOCK + frame.layout.block_owner, EXECUTABLE + OTHER - BASE);
	assert_refused(JSC_OTHER);
}

/* Text of the program that stands where a path would is not taken. */
static void test_module(void **state)
{
	static const char *const none[] = { "", "no path", "data:text/javascript,let a/b",
		"blob:http://a/b", "/a/b?token=c", "/a/b\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		put_text(URL, none[i]);
		assert_name("submitOrder", "JavaScriptCore");
	}
	put_text(URL, "/$bunfs/root/cli.js");
	assert_name("submitOrder", "cli.js+77");
}

static void test_native(void **state)
{
	(void)state;
	put(CALLEE + frame.layout.callee_executable, NATIVE);
	put_type(NATIVE, frame.layout.type_native);
	put(NATIVE + frame.layout.native_name, NAME);
	frame.raw.block = 0;
	frame.raw.executable = NATIVE;
	assert_name("submitOrder", "JavaScriptCore");
	put(NAME, 2);
	assert_name("[host function]", "JavaScriptCore");
	put(NATIVE + frame.layout.native_name, 0);
	frame.raw.name = 0;
	assert_name("[host function]", "JavaScriptCore");
	frame.is_top = true;
	assert_refused(JSC_STUB);
}

/* While it is entered, the function beside the frame pointer is another one. */
static void test_placed(void **state)
{
	const struct jsc_layout *l = &frame.layout;

	(void)state;
	frame.is_placed = true;
	frame.raw.callee = CALLEE + (OTHER - BASE);
	jsc_frame_read(&frame, read_image, NULL);
	assert_int_equal(frame.refusal, JSC_NAMED);
	frame.pc = PC + 64;
	assert_refused(JSC_OUTSIDE);
	frame.pc = PC + 8;
	put(RANGE + l->range_at, 0); /* the code went elsewhere */
	assert_refused(JSC_OUTSIDE);
	setup(state);
	frame.is_placed = true;
	put(BLOCK + l->block_owner, EXECUTABLE + (OTHER - BASE)); /* another function's block now */
	assert_refused(JSC_OTHER);
}

static void test_global(void **state)
{
	(void)state;
	put_type(CALLEE, 99);
	put_type(EXECUTABLE, frame.layout.type_native + 2);
	frame.raw.executable = EXECUTABLE;
	assert_name("[module shop.js]", "shop.js");
	put_type(EXECUTABLE, frame.layout.type_native + 4);
	assert_refused(JSC_OTHER);
}

/* Calls of optimized code: call site 0 is in no other function, 1 in one, 2 in one of that one. */
static void put_origins(const struct jsc_layout *l)
{
	uint64_t other = OTHER - BASE;

	put(CODE + 8, (uint64_t)4 << 32); /* DFG */
	put(CODE + l->origins, POOL);
	put(POOL + 8, ORIGINS);
	put(POOL + 16, (uint64_t)3 << 32 | 4);
	put(ORIGINS, (uint64_t)9 << 48);
	put(ORIGINS + 8, INLINED | (uint64_t)7 << 48);
	put(ORIGINS + 16, (INLINED + 0x20) | (uint64_t)5 << 48);
	put(INLINED + 8, BLOCK + other);
	put(INLINED + 16, (uint64_t)3 << 48);
	put(INLINED + 0x28, BLOCK);
	put(INLINED + 0x30, INLINED | (uint64_t)2 << 48);
}

static void test_inlined(void **state)
{
	static const char *const names[][3] = { { NULL }, { "another", NULL },
		{ "submitOrder", "another", NULL } };

	for (size_t build = 0; build < ARRAY_SIZE(known_builds); build++) {
		make(jsc_layout_of(known_builds[build]));
		put_origins(&frame.layout);
		for (uint32_t site = 0; site < ARRAY_SIZE(names); site++) {
			frame.raw.of.detail = site;
			for (frame.depth = 1; names[site][frame.depth - 1]; frame.depth++)
				assert_name(names[site][frame.depth - 1], "shop.js+77");
			assert_refused(JSC_STUB);
			frame.depth = 0;
			assert_name("submitOrder", "shop.js+77");
		}
	}
	frame.depth = 1;
	frame.raw.of.detail = 3; /* behind the last one */
	assert_refused(JSC_OTHER);
	frame.raw.of.detail = 1;
	assert_name("another", "shop.js+77");
	frame.pc = PC + 64; /* not in the code of the block */
	assert_refused(JSC_OUTSIDE);
	frame.pc = PC;
	put_type(BLOCK + OTHER - BASE, 99);
	assert_refused(JSC_OTHER);
	put_type(BLOCK + OTHER - BASE, frame.layout.type_block);
	put(ORIGINS + 8, INLINED | 2); /* no place of a call */
	assert_refused(JSC_OTHER);
	put(ORIGINS + 8, RARE | 1); /* the word is elsewhere */
	put(RARE, INLINED);
	assert_name("another", "shop.js+77");
	put(CODE + 8, (uint64_t)3 << 32); /* baseline */
	assert_refused(JSC_STUB);
	setup(state);
	frame.depth = 1;
	frame.pc = 0; /* in the interpreter */
	assert_refused(JSC_STUB);
}

/* Where a name is missing, the module inside of the executable is known, and only such a one. */
static void test_place(void **state)
{
	(void)state;
	frame.raw.name = 0;
	put(UNLINKED + frame.layout.unlinked_name, 0);
	assert_name("[function shop.js+77]", "shop.js+77");
	assert_string_equal(frame.module, "");
	put_text(URL, "/$bunfs/root/cli.js");
	assert_name("[function cli.js+77]", "cli.js+77");
	assert_string_equal(frame.module, "/$bunfs/root/cli.js");
	assert_int_equal(frame.start, 77);
	frame.raw.name = NAME;
	put(UNLINKED + frame.layout.unlinked_name, NAME);
	assert_name("submitOrder", "cli.js+77");
	assert_string_equal(frame.module, "");
}

/* Every 16-bit offset 8 less and more, every type one less and more. */
static void perturb(const struct jsc_layout *layout)
{
	static const int steps[] = { -16, -8, 8, 16 };

	for (size_t place = 0; place + 2 <= offsetof(struct jsc_layout, range_kind); place += 2) {
		for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
			uint16_t offset;

			make(layout);
			memcpy(&offset, (char *)&frame.layout + place, sizeof(offset));
			offset = (uint16_t)(offset + steps[i]);
			memcpy((char *)&frame.layout + place, &offset, sizeof(offset));
			jsc_frame_read(&frame, read_image, NULL);
			assert_true(frame.refusal || !strcmp(frame.text, "submitOrder"));
			put_origins(layout);
			frame.raw.of.detail = frame.depth = 1;
			jsc_frame_read(&frame, read_image, NULL);
			assert_true(frame.refusal || !strcmp(frame.text, "another"));
		}
	}
	for (size_t place = offsetof(struct jsc_layout, range_kind);
		place <= offsetof(struct jsc_layout, type_native); place++) {
		for (int step = -1; step <= 1; step += 2) {
			make(layout);
			((uint8_t *)&frame.layout)[place] =
				(uint8_t)(((uint8_t *)&frame.layout)[place] + step);
			jsc_frame_read(&frame, read_image, NULL);
			assert_true(frame.refusal || !strcmp(frame.text, "submitOrder"));
		}
	}
}

static void test_perturbed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known_builds); i++)
		perturb(jsc_layout_of(known_builds[i]));
}

static void test_unreadable(void **state)
{
	(void)state;
	frame.raw.callee = 0;
	assert_refused(JSC_STUB);
	frame.raw.callee = 8;
	assert_refused(JSC_UNREAD);
	setup(state);
	frame.raw.block = BASE + SIZE - 8;
	assert_refused(JSC_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_named, setup),
		cmocka_unit_test_setup(test_rare, setup),
		cmocka_unit_test_setup(test_invariants, setup),
		cmocka_unit_test_setup(test_text, setup),
		cmocka_unit_test_setup(test_no_name_yet, setup),
		cmocka_unit_test_setup(test_module, setup),
		cmocka_unit_test_setup(test_native, setup),
		cmocka_unit_test_setup(test_placed, setup),
		cmocka_unit_test_setup(test_global, setup),
		cmocka_unit_test_setup(test_inlined, setup),
		cmocka_unit_test_setup(test_place, setup),
		cmocka_unit_test_setup(test_perturbed, setup),
		cmocka_unit_test_setup(test_unreadable, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

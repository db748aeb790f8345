/* SPDX-License-Identifier: BSD-2-Clause */
/* Unwind tables of hand-made .eh_frame sections, for both machines. */
#include "support.h"

#include "os/linux/profile/unwind_table.h"

#define SECTION 0x2000
#define CODE	0x1000

static struct buffer section;
static struct unwind_table table;

static void put_u32(uint32_t value)
{
	buffer_append(&section, &value, sizeof(value));
}

/* Length, then the bytes, filled with no-operations to a multiple of four. */
static size_t put_entry(const void *bytes, size_t size)
{
	size_t at = section.size, filled = (size + 3) & ~(size_t)3;

	put_u32((uint32_t)filled);
	buffer_append(&section, bytes, size);
	buffer_zeros(&section, filled - size);
	return at;
}

/* Addresses are relative to their place, in four bytes: the usual form. */
static size_t put_common(const char *letters, uint8_t data_align, uint8_t ra,
	const unsigned char *program, size_t size)
{
	struct buffer b = { 0 };
	unsigned char numbers[] = { 1, data_align, ra, 1, 0x1b };
	size_t at;

	buffer_zeros(&b, 4);
	buffer_char(&b, 1);
	buffer_append(&b, letters, strlen(letters) + 1);
	buffer_append(&b, numbers, sizeof(numbers));
	buffer_append(&b, program, size);
	at = put_entry(b.data, b.size);
	buffer_fini(&b);
	return at;
}

static void put_function(
	size_t common, uint32_t address, uint32_t size, const unsigned char *program, size_t length)
{
	struct buffer b = { 0 };
	uint32_t here = (uint32_t)section.size + 4;
	uint32_t head[] = { here - (uint32_t)common, address - (SECTION + here + 4), size };

	buffer_append(&b, head, sizeof(head));
	buffer_char(&b, 0);
	buffer_append(&b, program, length);
	put_entry(b.data, b.size);
	buffer_fini(&b);
}

#define PROGRAM(...)                                                                               \
	(const unsigned char[]){ __VA_ARGS__ }, sizeof((const unsigned char[]){ __VA_ARGS__ })

static bool make(enum machine machine)
{
	struct unwind_input in = { .machine = machine,
		.frames = section.data,
		.size = section.size,
		.address = SECTION,
		.segments = { { CODE, CODE - 0x800, 0x1000 } },
		.segment_count = 1 };

	unwind_table_fini(&table);
	return unwind_table_make(&table, &in);
}

static const struct unwind_row *rows(void)
{
	return (const void *)table.rows.data;
}

static size_t row_count(void)
{
	return table.rows.size / sizeof(struct unwind_row);
}

static struct unwind_rule rule_at(size_t row)
{
	return ((const struct unwind_rule *)(const void *)
			table.rules.data)[rows()[row].rule & ~UNWIND_IS_ENTRY];
}

static int setup(void **state)
{
	(void)state;
	buffer_reset(&section);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unwind_table_fini(&table);
	buffer_fini(&section);
	return 0;
}

static void assert_row(
	size_t row, uint32_t offset, enum unwind_kind kind, int frame, int fp, int ra)
{
	struct unwind_rule rule = rule_at(row);

	assert_int_equal(rows()[row].offset, offset);
	assert_int_equal(rule.frame & ((1 << UNWIND_KIND_BITS) - 1), kind);
	assert_int_equal(rule.frame >> UNWIND_KIND_BITS, frame);
	assert_int_equal(rule.fp, fp);
	assert_int_equal(rule.ra, ra);
}

/* frame: rsp + 8; the return address below it */
static size_t put_x86_common(const char *letters)
{
	return put_common(letters, 0x78, 16, PROGRAM(0x0c, 7, 8, 0x90, 1));
}

/* push %rbp; mov %rsp,%rbp; ...; pop; ret */
static void test_prologue(void **state)
{
	size_t common = put_x86_common("zR");

	(void)state;
	put_function(common, CODE + 0x10, 0x20,
		PROGRAM(0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x5b, 0x0c, 7, 8, 0xc6));
	assert_true(make(MACHINE_X86_64));
	assert_int_equal(row_count(), 5);
	assert_row(0, 0x810, UNWIND_SP, 8, UNWIND_KEPT, -8);
	assert_true(rows()[0].rule & UNWIND_IS_ENTRY);
	assert_row(1, 0x811, UNWIND_SP, 16, -16, -8);
	assert_row(2, 0x814, UNWIND_FP, 16, -16, -8);
	assert_row(3, 0x82f, UNWIND_SP, 8, UNWIND_KEPT, -8);
	assert_row(4, 0x830, UNWIND_NONE, 0, UNWIND_KEPT, UNWIND_KEPT);
	assert_int_equal(table.ignored, 0);
}

/* Behind a function there is nothing, unless the next one begins there. */
static void test_neighbours(void **state)
{
	size_t common = put_x86_common("zR");

	(void)state;
	put_function(common, CODE + 0x40, 0x10, PROGRAM(0x0e, 24));
	put_function(common, CODE + 0x10, 0x10, PROGRAM(0x0e, 16));
	put_function(common, CODE + 0x20, 0x10, PROGRAM(0x07, 16)); /* no caller: an entry */
	assert_true(make(MACHINE_X86_64));
	assert_int_equal(row_count(), 5);
	assert_row(0, 0x810, UNWIND_SP, 16, UNWIND_KEPT, -8);
	assert_row(1, 0x820, UNWIND_END, 0, UNWIND_KEPT, UNWIND_KEPT);
	assert_row(2, 0x830, UNWIND_NONE, 0, UNWIND_KEPT, UNWIND_KEPT);
	assert_row(3, 0x840, UNWIND_SP, 24, UNWIND_KEPT, -8);
}

static void test_entries(void **state)
{
	size_t common = put_x86_common("zR");
	uint64_t entry = 0;

	(void)state;
	put_function(common, CODE + 0x10, 0x10, PROGRAM(0x44, 0x0e, 16));
	assert_true(make(MACHINE_X86_64));
	assert_false(unwind_table_entry(rows(), row_count(), 0x80f, &entry));
	assert_true(unwind_table_entry(rows(), row_count(), 0x81f, &entry));
	assert_int_equal(entry, 0x810);
	assert_false(unwind_table_entry(rows(), row_count(), 0x820, &entry));
}

/* A signal's trampoline, a linker's stub, and a function that aligns its stack. */
static void test_special(void **state)
{
	size_t signal = put_x86_common("zRS"), common = put_x86_common("zR");

	(void)state;
	put_function(signal, CODE, 0x10, PROGRAM(0));
	put_function(common, CODE + 0x10, 0x10,
		PROGRAM(0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22));
	put_function(
		common, CODE + 0x20, 0x10, PROGRAM(0x0f, 3, 0x76, 0x78, 0x06, 0x10, 6, 2, 0x76, 0));
	put_function(common, CODE + 0x30, 0x10, PROGRAM(0x0f, 2, 0x30, 0x31));
	put_function(common, CODE + 0x40, 0x10, PROGRAM(0x0c, 3, 8)); /* from rbx */
	assert_true(make(MACHINE_X86_64));
	assert_row(0, 0x800, UNWIND_SIGNAL, 0, UNWIND_KEPT, UNWIND_KEPT);
	assert_row(1, 0x810, UNWIND_PLT, 11, UNWIND_KEPT, -8);
	assert_row(2, 0x820, UNWIND_FP_SAVED, -8, 0, -8);
	assert_row(3, 0x830, UNWIND_RULE, 0, UNWIND_KEPT, UNWIND_KEPT);
	assert_row(4, 0x840, UNWIND_RULE, 0, UNWIND_KEPT, UNWIND_KEPT);
}

/* stp x29,x30,[sp,#-32]!; before it the return address is in its register */
static void test_aarch64(void **state)
{
	size_t common = put_common("zR", 0x78, 30, PROGRAM(0x0c, 31, 0));

	(void)state;
	put_function(common, CODE, 0x20, PROGRAM(0x2d, 0x44, 0x0e, 32, 0x9d, 4, 0x9e, 3));
	assert_true(make(MACHINE_AARCH64));
	assert_row(0, 0x800, UNWIND_SP, 0, UNWIND_KEPT, UNWIND_KEPT);
	assert_row(1, 0x804, UNWIND_SP, 32, -32, -24);
}

/* A remembered row comes back, registers too. */
static void test_remembered(void **state)
{
	size_t common = put_x86_common("zR");

	(void)state;
	put_function(common, CODE, 0x20,
		PROGRAM(0x0e, 32, 0x86, 3, 0x41, 0x0a, 0x0e, 8, 0xc6, 0x41, 0x0b));
	assert_true(make(MACHINE_X86_64));
	assert_row(0, 0x800, UNWIND_SP, 32, -24, -8);
	assert_row(1, 0x801, UNWIND_SP, 8, UNWIND_KEPT, -8);
	assert_row(2, 0x802, UNWIND_SP, 32, -24, -8);
}

/* Not loaded as code, without a common entry, of an unknown form: each is counted. */
static void test_ignored(void **state)
{
	size_t common = put_x86_common("zR"), unknown = put_x86_common("eh");

	(void)state;
	put_function(common, 0x100, 0x10, PROGRAM(0));
	put_function(common, CODE + 0xff8, 0x10, PROGRAM(0)); /* ends behind it */
	put_function(unknown, CODE, 0x10, PROGRAM(0));
	put_function(common + 3, CODE, 0x10, PROGRAM(0));
	put_function(common, CODE, 0x10, PROGRAM(0));
	assert_true(make(MACHINE_X86_64));
	assert_int_equal(table.ignored, 4);
	assert_int_equal(row_count(), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = { TEST(test_prologue), TEST(test_neighbours),
		TEST(test_entries), TEST(test_special), TEST(test_aarch64), TEST(test_remembered),
		TEST(test_ignored) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

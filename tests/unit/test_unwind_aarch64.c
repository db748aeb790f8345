/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unwind information of aarch64 as its compilers write it, in bytes by hand, and a walk by these rules
 * with that machine's steps: the same code as in the kernel, over a stack in memory.
 */
#include "support.h"

#include "os/linux/profile/unwind_table.h"

#define __TARGET_ARCH_arm64
#include "bpf/profile_walk.h"

static bool walk_read(struct walk *w, void *out, uint32_t size, uint64_t address);

#include "bpf/unwind_step.h"

#define SECTION	    0x20000u
#define CODE	    0x10000u
#define CODE_SIZE   0x1000u
#define STACK	    UINT64_C(0x7ff000)
#define STACK_WORDS 1024
#define SIGNED(pc)  ((pc) | UINT64_C(0x2a) << 48) /* as paciasp does */

static struct buffer section;
static struct unwind_table table;
static uint64_t stack[STACK_WORDS];

static bool walk_read(struct walk *w, void *out, uint32_t size, uint64_t address)
{
	(void)w;
	if (address < STACK || address - STACK > sizeof(stack) - size)
		return false;
	memcpy(out, (unsigned char *)stack + (address - STACK), size);
	return true;
}

/* --- bytes --- */

static void put(const void *bytes, size_t size)
{
	buffer_append(&section, bytes, size);
}

static void put_u32(uint32_t value)
{
	put(&value, sizeof(value));
}

/* Length first; no-operations up to a multiple of four. */
static void end_entry(size_t at)
{
	uint32_t length;

	buffer_zeros(&section, (4 - section.size % 4) % 4);
	length = (uint32_t)(section.size - at - sizeof(length));
	memcpy(section.data + at, &length, sizeof(length));
}

/* Instructions are 4 bytes, registers 8 apart, the return address is in x30, the frame at sp. */
static size_t put_common(const char *letters)
{
	static const unsigned char rest[] = { 4, 0x78, 30, 1, 0x1b, 0x0c, 31, 0 };
	size_t at = section.size;

	put_u32(0);
	put_u32(0);
	put("\1", 1);
	put(letters, strlen(letters) + 1);
	put(rest, sizeof(rest));
	end_entry(at);
	return at;
}

static void put_function(
	size_t common, uint32_t address, uint32_t size, const unsigned char *program, size_t length)
{
	size_t at = section.size;

	put_u32(0);
	put_u32((uint32_t)(at + 4 - common));
	put_u32(address - (SECTION + (uint32_t)at + 8));
	put_u32(size);
	put("\0", 1);
	put(program, length);
	end_entry(at);
}

#define PROGRAM(...)                                                                               \
	(const unsigned char[]){ __VA_ARGS__ }, sizeof((const unsigned char[]){ __VA_ARGS__ })

static void make(void)
{
	const struct unwind_input in = { .machine = MACHINE_AARCH64,
		.frames = section.data,
		.size = section.size,
		.address = SECTION,
		.segments = { { CODE, CODE, CODE_SIZE } },
		.segment_count = 1 };

	unwind_table_fini(&table);
	assert_true(unwind_table_make(&table, &in));
	assert_int_equal(table.ignored, 0);
	assert_false(table.is_cut);
}

static struct unwind_rule rule_at(uint64_t offset)
{
	const struct unwind_row *rows = (const void *)table.rows.data;
	const struct unwind_rule *rules = (const void *)table.rules.data;
	size_t before = unwind_table_rows_to(rows, table.rows.size / sizeof(*rows), offset);

	assert_true(before > 0);
	return rules[rows[before - 1].rule & ~UNWIND_IS_ENTRY];
}

static void assert_rule(uint64_t offset, enum unwind_kind kind, int frame, int fp, int ra)
{
	struct unwind_rule rule = rule_at(offset);

	assert_int_equal(rule.frame & ((1 << UNWIND_KIND_BITS) - 1), kind);
	assert_int_equal(rule.frame >> UNWIND_KIND_BITS, frame);
	assert_int_equal(rule.fp, fp);
	assert_int_equal(rule.ra, ra);
}

static int setup(void **state)
{
	(void)state;
	buffer_reset(&section);
	memset(stack, 0, sizeof(stack));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unwind_table_fini(&table);
	buffer_fini(&section);
	return 0;
}

/* --- the functions --- */

enum {
	LEAF = CODE + 0x100,	/* sub sp, sp, #16 ... add sp, sp, #16; ret */
	FRAMED = CODE + 0x200,	/* paciasp; stp x29, x30, [sp, #-48]!; mov x29, sp; ...; autiasp; ret */
	LARGE = CODE + 0x300,	/* stp x29, x30, [sp, #-16]!; sub sp, sp, #4096 */
	DYNAMIC = CODE + 0x400, /* the frame is at x29 + 32 */
	SIGNAL = CODE + 0x500,	/* the trampoline */
	START = CODE + 0x600,	/* no caller */
	STRANGE = CODE + 0x700, /* the frame at x19 */
};

static void put_functions(void)
{
	size_t signal = put_common("zRS"), common = put_common("zR");

	put_function(common, LEAF, 0x20, PROGRAM(0x41, 0x0e, 16, 0x45, 0x0e, 0));
	put_function(common, FRAMED, 0x40,
		PROGRAM(0x41, 0x2d, 0x41, 0x0e, 48, 0x9d, 6, 0x9e, 5, 0x4a, 0xde, 0xdd, 0x0e, 0, 0x41,
			0x2d));
	put_function(common, LARGE, 0x40,
		PROGRAM(0x41, 0x0e, 16, 0x9d, 2, 0x9e, 1, 0x41, 0x0e, 0x90, 0x20));
	put_function(common, DYNAMIC, 0x40,
		PROGRAM(0x41, 0x0e, 32, 0x9d, 4, 0x9e, 3, 0x41, 0x0d, 29, 0x4a, 0x0c, 31, 0, 0xdd,
			0xde));
	put_function(signal, SIGNAL, 0x10, PROGRAM(0));
	put_function(common, START, 0x20, PROGRAM(0x07, 30));
	put_function(common, STRANGE, 0x20, PROGRAM(0x0c, 19, 16, 0x41, 0x0f, 2, 0x8f, 0));
	make();
}

static void test_rules(void **state)
{
	(void)state;
	put_functions();
	assert_rule(LEAF, UNWIND_SP, 0, UNWIND_KEPT, UNWIND_KEPT);
	assert_rule(LEAF + 4, UNWIND_SP, 16, UNWIND_KEPT, UNWIND_KEPT);
	assert_rule(LEAF + 4 + 5 * 4, UNWIND_SP, 0, UNWIND_KEPT, UNWIND_KEPT);
	assert_rule(FRAMED + 4, UNWIND_SP, 0, UNWIND_KEPT, UNWIND_KEPT);
	assert_rule(FRAMED + 8, UNWIND_SP, 48, -48, -40);
	assert_rule(FRAMED + 8 + 10 * 4, UNWIND_SP, 0, UNWIND_KEPT, UNWIND_KEPT);
	assert_rule(LARGE + 4, UNWIND_SP, 16, -16, -8);
	assert_rule(LARGE + 8, UNWIND_SP, 4112, -16, -8);
	assert_rule(DYNAMIC + 8, UNWIND_FP, 32, -32, -24);
	assert_rule(DYNAMIC + 8 + 10 * 4, UNWIND_SP, 0, UNWIND_KEPT, UNWIND_KEPT);
	assert_rule(SIGNAL, UNWIND_SIGNAL, 0, UNWIND_KEPT, UNWIND_KEPT);
	assert_rule(START, UNWIND_END, 0, UNWIND_KEPT, UNWIND_KEPT);
	assert_rule(STRANGE, UNWIND_RULE, 0, UNWIND_KEPT, UNWIND_KEPT);
	assert_rule(STRANGE + 4, UNWIND_RULE, 0, UNWIND_KEPT, UNWIND_KEPT);
}

static void set(uint64_t address, uint64_t value)
{
	stack[(address - STACK) / 8] = value;
}

static int step_once(struct walk *w)
{
	w->rule = rule_at(w->pc - !w->is_exact);
	return step_by(w, PROFILE_WHOLE);
}

static void assert_at(const struct walk *w, uint64_t pc, uint64_t sp, uint64_t fp)
{
	assert_int_equal(w->pc, pc);
	assert_int_equal(w->sp, sp);
	assert_int_equal(w->fp, fp);
}

/* A leaf, interrupted, below a signal's handler with signed return addresses, and what the signal
 * interrupted: again a leaf, whose caller is only in its register. */
static void test_walk(void **state)
{
	uint64_t frame = STACK + 0x40, signal = STACK + 0x200, old = STACK + 0x800;
	struct walk *w = calloc(1, sizeof(*w));

	(void)state;
	put_functions();
	w->pc = LEAF + 8;
	w->sp = STACK + 0x30;
	w->fp = frame;
	w->link = SIGNED(FRAMED + 0x14);
	w->is_exact = w->has_link = 1;
	assert_true(step_once(w));
	assert_at(w, FRAMED + 0x14, frame, frame);
	assert_false(w->has_link);
	set(frame, signal + 0x1000);
	set(frame + 8, SIGNED(DYNAMIC + 0x10));
	w->fp = frame;
	assert_true(step_once(w));
	assert_at(w, DYNAMIC + 0x10, frame + 48, signal + 0x1000);
	w->fp = signal - 32;
	set(signal - 32, 0x1234);
	set(signal - 24, SIGNAL);
	assert_true(step_once(w));
	assert_at(w, SIGNAL, signal, 0x1234);
	/* The kernel's frame: x29, x30, sp, pc of the interrupted code. */
	set(signal + 312 + 29 * 8, old + 8);
	set(signal + 312 + 30 * 8, SIGNED(LARGE + 0x10));
	set(signal + 312 + 31 * 8, old);
	set(signal + 312 + 32 * 8, LEAF + 0x1c);
	w->is_exact = 1; /* a trampoline has no call before it */
	assert_true(step_once(w));
	assert_at(w, LEAF + 0x1c, old, old + 8);
	assert_true(w->is_exact && w->has_link);
	assert_true(step_once(w));
	assert_at(w, LARGE + 0x10, old, old + 8);
	set(old + 4112 - 16, 0);
	set(old + 4112 - 8, SIGNED(START + 8));
	assert_true(step_once(w));
	assert_at(w, START + 8, old + 4112, 0);
	assert_false(step_once(w));
	assert_int_equal(w->end, PROFILE_WHOLE);
	free(w);
}

/* The register of a caller is not known: a second leaf in a row ends the walk. */
static void test_no_link(void **state)
{
	struct walk *w = calloc(1, sizeof(*w));

	(void)state;
	put_functions();
	w->pc = LEAF + 8;
	w->sp = STACK + 0x30;
	w->link = LEAF + 12;
	w->is_exact = w->has_link = 1;
	assert_true(step_once(w));
	assert_false(step_once(w));
	assert_int_equal(w->end, PROFILE_STUCK);
	free(w);
}

/* Without a rule the frame pointer leads on, unless only unwind information may. */
static void test_frame_pointer(void **state)
{
	struct walk *w = calloc(1, sizeof(*w));

	(void)state;
	w->sp = STACK;
	w->fp = STACK + 0x20;
	set(STACK + 0x20, STACK + 0x80);
	set(STACK + 0x28, SIGNED(START + 8));
	assert_true(step_by(w, PROFILE_NO_ROW));
	assert_at(w, START + 8, STACK + 0x30, STACK + 0x80);
	w->tables_only = 1;
	assert_false(step_by(w, PROFILE_NO_ROW));
	assert_int_equal(w->end, PROFILE_NO_ROW);
	free(w);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = { TEST(test_rules), TEST(test_walk), TEST(test_no_link),
		TEST(test_frame_pointer) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

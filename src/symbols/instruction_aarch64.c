/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aarch64, little endian: every instruction is one word, sorted here by the architecture's
 * top-level groups. SVE counts as writing everything; SME is unknown.
 *
 * Emulation follows arch/arm64/kernel/probes/decode-insn.c: b, bl, b.cond, cbz, cbnz, tbz, tbnz,
 * adr, adrp, br, blr and ret since 4.10, nop since 6.13. Everything else is single-stepped (a
 * proposed emulation of stp to the stack is in no known kernel) or refused: exclusive and literal
 * loads, exceptions, msr, most hints and branches that authenticate. The literal ldr, emulated
 * incorrectly for uprobes before 6.12, counts as refused.
 */
#include "symbols/instruction.h"

#include "base/cursor.h"

#define ZERO_OR_STACK 31
#define LINK	      30
#define BIT(n)	      (UINT32_C(1) << (n))
#define ALL	      UINT32_MAX

/* Results about a word; bit 31 of `written` is the stack pointer. */
struct decoding {
	uint32_t word;
	uint32_t written;
	struct instruction out;
};

static uint32_t get_bits(const struct decoding *d, unsigned low, unsigned count)
{
	return d->word >> low & (BIT(count) - 1);
}

static bool word_has(const struct decoding *d, uint32_t mask, uint32_t value)
{
	return (d->word & mask) == value;
}

/* Returns the signed field of `count` bits from bit `low` on, times `scale`. */
static int64_t signed_field(const struct decoding *d, unsigned low, unsigned count, int64_t scale)
{
	int64_t value = get_bits(d, low, count);

	if (value >> (count - 1))
		value -= INT64_C(1) << count;
	return value * scale;
}

/* Notes a written register, where 31 is the zero register. */
static void note_written(struct decoding *d, uint32_t number)
{
	if (number != ZERO_OR_STACK)
		d->written |= BIT(number);
}

/* Notes a written register, where 31 is the stack pointer. */
static void note_written_or_stack(struct decoding *d, uint32_t number)
{
	d->written |= BIT(number);
}

static void set_emulated(struct decoding *d, enum instruction_kind kind)
{
	d->out.kind = kind;
	d->out.emulated_since = KERNEL_RELEASE(4, 10);
}

static bool decode_immediate(struct decoding *d)
{
	uint32_t destination = get_bits(d, 0, 5);

	d->out.keeps_flags = true;
	switch (get_bits(d, 23, 3)) {
	case 0:
	case 1: /* adr, adrp */
		set_emulated(d, INSTRUCTION_ADDRESS);
		d->out.is_ip_relative = true;
		note_written(d, destination);
		break;
	case 2:
	case 3: /* add, sub */
		d->out.keeps_flags = !get_bits(d, 29, 1);
		d->out.tests_argument0 = d->word == 0xf100001f; /* cmp x0, #0 */
		(get_bits(d, 29, 1) ? note_written : note_written_or_stack)(d, destination);
		break;
	case 4: /* and, orr, eor, ands */
		d->out.keeps_flags = get_bits(d, 29, 2) != 3;
		(get_bits(d, 29, 2) == 3 ? note_written : note_written_or_stack)(d, destination);
		break;
	default: /* movn, movz, movk, bitfields, extr */
		note_written(d, destination);
	}
	return true;
}

/* Decodes a hint: whether it may be single-stepped, and its effect on the link register. */
static void decode_hint(struct decoding *d)
{
	uint32_t hint = get_bits(d, 5, 7);

	d->out.keeps_flags = true;
	d->out.is_refused =
		!(hint == 0 || hint == 7 || hint == 8 || hint == 10 || (hint >= 24 && hint <= 27) ||
			(hint >= 32 && hint <= 38 && !(hint & 1)));
	if (!hint) {
		d->out.kind = INSTRUCTION_NOP;
		d->out.emulated_since = KERNEL_RELEASE(6, 13);
	}
	/* xpaclri; paciaz, paciasp, pacibz, pacibsp and the aut* of the same */
	if (hint == 7 || (hint >= 24 && hint <= 31))
		note_written(d, LINK);
}

static bool decode_system(struct decoding *d)
{
	if (word_has(d, 0xfffff01f, 0xd503201f)) {
		decode_hint(d);
		return true;
	}
	if (get_bits(d, 21, 1)) /* mrs, sysl */
		note_written(d, get_bits(d, 0, 5));
	/* msr of a field or a register */
	d->out.is_refused =
		word_has(d, 0xfff8f01f, 0xd500401f) || word_has(d, 0xfff00000, 0xd5100000);
	return true;
}

static bool decode_branch_register(struct decoding *d)
{
	static const enum instruction_kind kinds[] = {
		INSTRUCTION_JUMP_INDIRECT,
		INSTRUCTION_CALL_INDIRECT,
		INSTRUCTION_RETURN,
	};
	uint32_t operation =
		get_bits(d, 21, 4) & 7; /* without the bit that says a modifier follows */

	if (operation > 2) {
		/* eret, drps */
		d->out.kind = INSTRUCTION_STOP;
		d->out.is_refused = true;
		return operation == 4 || operation == 5;
	}
	if (word_has(d, 0xff9ffc1f, 0xd61f0000))
		set_emulated(d, kinds[operation]);
	else
		d->out.is_refused = true;
	d->out.kind = kinds[operation];
	if (d->out.kind == INSTRUCTION_CALL_INDIRECT)
		d->written = ALL;
	return true;
}

static void decode_test_branch(struct decoding *d)
{
	bool is_bit = get_bits(d, 25, 1); /* tbz, tbnz: of one bit */

	set_emulated(d, INSTRUCTION_BRANCH);
	d->out.target = is_bit ? signed_field(d, 5, 14, 4) : signed_field(d, 5, 19, 4);
	d->out.keeps_flags = true;
	d->out.condition = is_bit		? CONDITION_OTHER
			   : get_bits(d, 24, 1) ? CONDITION_NONZERO
						: CONDITION_ZERO;
	d->out.tests_argument0 = !is_bit && get_bits(d, 31, 1) && get_bits(d, 0, 5) == 0;
}

static bool decode_conditional(struct decoding *d)
{
	uint32_t condition = get_bits(d, 0, 4);

	d->out.kind = INSTRUCTION_BRANCH;
	d->out.keeps_flags = true;
	d->out.target = signed_field(d, 5, 19, 4);
	d->out.condition = condition == 0   ? CONDITION_ZERO
			   : condition == 1 ? CONDITION_NONZERO
					    : CONDITION_OTHER;
	if (get_bits(d, 4, 1)) /* bc.cond: not in any kernel's tables */
		d->out.is_refused = true;
	else
		set_emulated(d, INSTRUCTION_BRANCH);
	return true;
}

/* Decodes svc, hvc, smc, which return with registers changed; brk, hlt and the like do not return.
 */
static bool decode_exception(struct decoding *d)
{
	bool is_call = get_bits(d, 21, 3) == 0 && get_bits(d, 0, 2) != 0;

	d->out.kind = is_call ? INSTRUCTION_PLAIN : INSTRUCTION_STOP;
	d->out.is_refused = true;
	d->written = is_call ? ALL : 0;
	return true;
}

static bool decode_branch(struct decoding *d)
{
	if (word_has(d, 0x7c000000, 0x14000000)) {
		bool is_call = get_bits(d, 31, 1);

		set_emulated(d, is_call ? INSTRUCTION_CALL : INSTRUCTION_JUMP);
		d->out.target = signed_field(d, 0, 26, 4);
		d->written = is_call ? ALL : 0;
		return true;
	}
	if (word_has(d, 0x7c000000, 0x34000000)) {
		decode_test_branch(d);
		return true;
	}
	switch (get_bits(d, 24, 8)) {
	case 0x54:
		return decode_conditional(d);
	case 0xd4:
		return decode_exception(d);
	case 0xd5:
		return decode_system(d);
	case 0xd6:
	case 0xd7:
		return decode_branch_register(d);
	default:
		return false;
	}
}

/* Decodes exclusive, ordered, and compare-and-swap instructions. */
static void decode_exclusive(struct decoding *d)
{
	bool is_ordered = get_bits(d, 23, 1), is_load = get_bits(d, 22, 1),
	     is_pair = get_bits(d, 21, 1);

	d->out.is_refused = !is_ordered;
	if (is_ordered && !is_load && !is_pair) /* stlr */
		return;
	note_written(d, get_bits(d, 0, 5));
	note_written(d, get_bits(d, 10, 5));
	note_written(d, get_bits(d, 16, 5));
}

static void decode_pair(struct decoding *d)
{
	if (get_bits(d, 22, 1) && !get_bits(d, 26, 1)) {
		note_written(d, get_bits(d, 0, 5));
		note_written(d, get_bits(d, 10, 5));
	}
	if (get_bits(d, 23, 1)) /* pre- or post-indexed */
		note_written_or_stack(d, get_bits(d, 5, 5));
}

static void decode_single(struct decoding *d)
{
	bool is_vector = get_bits(d, 26, 1), is_offset = get_bits(d, 24, 1);
	uint32_t form = get_bits(d, 10, 2);

	/* opc 0 is a store; atomics, where it has another meaning, return in the same register */
	if (!is_vector && (get_bits(d, 22, 2) || (!is_offset && get_bits(d, 21, 1) && form != 2)))
		note_written(d, get_bits(d, 0, 5));
	if (!is_offset && (form & 1))
		note_written_or_stack(d, get_bits(d, 5, 5));
}

static bool decode_memory(struct decoding *d)
{
	d->out.keeps_flags = true;
	if (word_has(d, 0x3f000000, 0x08000000)) {
		decode_exclusive(d);
	} else if (word_has(d, 0x3b000000, 0x18000000)) { /* literal */
		d->out.is_refused = true;
		d->out.is_ip_relative = true;
		if (!get_bits(d, 26, 1))
			note_written(d, get_bits(d, 0, 5));
	} else if (word_has(d, 0x3a000000, 0x28000000)) {
		decode_pair(d);
	} else if (word_has(d, 0x3a000000, 0x38000000)) {
		decode_single(d);
	} else if (word_has(d, 0xbe000000, 0x0c000000)) { /* vector structures */
		if (get_bits(d, 23, 1))
			note_written_or_stack(d, get_bits(d, 5, 5));
	} else if (word_has(d, 0x3b000000, 0x19000000)) { /* tags, memory copies, and newer ones */
		d->out.keeps_flags = false;
		d->written = ALL;
	} else {
		return false;
	}
	return true;
}

static bool decode_register(struct decoding *d)
{
	uint32_t destination = get_bits(d, 0, 5);
	bool is_logical = word_has(d, 0x1f000000, 0x0a000000);
	bool is_sum = word_has(d, 0x1f000000, 0x0b000000);

	d->out.keeps_flags = is_logical ? get_bits(d, 29, 2) != 3 : is_sum && !get_bits(d, 29, 1);
	d->out.tests_argument0 = d->word == 0xea00001f; /* tst x0, x0 */
	if (word_has(d, 0x3fe00000, 0x0b200000))	/* extended register, flags left alone */
		note_written_or_stack(d, destination);
	else if (!word_has(d, 0x1fe00000, 0x1a400000)) /* ccmp, ccmn have flags there */
		note_written(d, destination);
	return true;
}

/* Decodes vector instructions, of which only conversions, fmov, umov and smov write a general
 * register. */
static bool decode_vector(struct decoding *d)
{
	if (word_has(d, 0x5f20fc00, 0x1e200000) || word_has(d, 0x5f200000, 0x1e000000) ||
		word_has(d, 0x9fe08400, 0x0e000400))
		note_written(d, get_bits(d, 0, 5));
	return true;
}

static bool decode_group(struct decoding *d)
{
	switch (get_bits(d, 25, 4)) {
	case 0x0:
		d->out.kind = INSTRUCTION_STOP;
		d->out.is_refused = true;
		return !get_bits(d, 16, 16); /* udf */
	case 0x2:			     /* SVE */
		d->written = ALL;
		return true;
	case 0x8:
	case 0x9:
		return decode_immediate(d);
	case 0xa:
	case 0xb:
		return decode_branch(d);
	case 0x4:
	case 0x6:
	case 0xc:
	case 0xe:
		return decode_memory(d);
	case 0x5:
	case 0xd:
		return decode_register(d);
	case 0x7:
	case 0xf:
		return decode_vector(d);
	default:
		return false;
	}
}

bool instruction_decode_aarch64(const void *code, size_t size, struct instruction *out)
{
	struct cursor at = cursor_over(code, size);
	struct decoding d = { .word = cursor_u32(&at),
		.out = { .length = 4, .emulated_since = KERNEL_NEVER } };

	if (at.failed || !decode_group(&d))
		return false;
	switch (d.out.kind) {
	case INSTRUCTION_JUMP:
	case INSTRUCTION_BRANCH:
	case INSTRUCTION_CALL:
		d.out.is_ip_relative = true;
		break;
	default:
		break;
	}
	d.out.arguments_written = (uint8_t)d.written;
	d.out.changes_stack = d.written & BIT(ZERO_OR_STACK);
	d.out.changes_return = d.written & (BIT(ZERO_OR_STACK) | BIT(LINK));
	*out = d.out;
	return true;
}

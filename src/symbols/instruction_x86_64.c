/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86-64: what an instruction does, from the fields that x86_64.c found. Registers
 * written stand in tables with one letter an opcode.
 *
 * Emulation follows arch/x86/kernel/uprobes.c: jmp, jcc and call relative and the
 * one-byte nop since 3.16, push of a register (bare or with the REX byte 41) since
 * 4.16, the kernel's own multi-byte nops (2 to 8 bytes) since 6.16. All else is
 * single-stepped. Older kernels take a 90 behind any prefix for a nop, xchg r8 and
 * pause too: here only a bare one is.
 */
#include "symbols/instruction.h"

#include <string.h>

#include "base/cleanup.h"
#include "symbols/x86_64.h"

/* General registers by their numbers. */
#define RAX    0
#define RCX    1
#define RDX    2
#define RSP    4
#define BIT(n) (1u << (n))
#define ALL    0xffffu

/*
 * Which general register may be written; rax, no argument, is left out where it is implied:
 *   .  none          m  ModRM.rm     r  ModRM.reg   o  that in the opcode
 *   M, R, O          likewise of 8 bits, so that 4 to 7 may be the second bytes of 0 to 3
 *   X, Y  rm and reg (16 to 64 bits; 8 bits)        d  rdx          c  rcx
 *   *  any           I, i  as M, m but for reg 7 (cmp)
 *   g, G  group 3    f  group 5      h  group 9     e  0F 1E: rdssp, or a nop
 */
static const char one_writes[] = "MmRr....MmRr...."  /* 00 */
				 "MmRr....MmRr...."  /* 10 */
				 "MmRr....MmRr...."  /* 20 */
				 "MmRr............"  /* 30 */
				 "................"  /* 40 */
				 "........oooooooo"  /* 50 */
				 "...r.....r.r****"  /* 60 */
				 "................"  /* 70 */
				 "Ii.i..YXMmRrmr.m"  /* 80 */
				 "oooooooo.d......"  /* 90 */
				 "....****..******"  /* a0 */
				 "OOOOOOOOoooooooo"  /* b0 */
				 "Mm....Mm.....*.*"  /* c0 */
				 "MmMm............"  /* d0 */
				 "ccc.....*......."  /* e0 */
				 "......gG......Mf"; /* f0 */

static const char two_writes[] = "m*rr.***........"  /* 00 */
				 "..............e."  /* 10 */
				 "**..........rr.."  /* 20 */
				 ".ddd**.*........"  /* 30 */
				 "rrrrrrrrrrrrrrrr"  /* 40 */
				 "r..............."  /* 50 */
				 "................"  /* 60 */
				 "........m.....m."  /* 70 */
				 "................"  /* 80 */
				 "MMMMMMMMMMMMMMMM"  /* 90 */
				 "..*.mm**..*mmmmr"  /* a0 */
				 "Mmrmrrrrr.mmrrrr"  /* b0 */
				 "YX...r.hoooooooo"  /* c0 */
				 ".......r........"  /* d0 */
				 "................"  /* e0 */
				 "................"; /* f0 */

_Static_assert(sizeof(one_writes) == 257 && sizeof(two_writes) == 257, "a letter an opcode");

static unsigned all_bits(unsigned number)
{
	return BIT(number & 15);
}

/* Returns an 8-bit register: without REX, 4 to 7 are ah, ch, dh and bh. */
static unsigned byte_register_bit(const struct x86_64_fields *d, unsigned number)
{
	return all_bits(!d->has_rex && number >= 4 && number < 8 ? number & 3 : number);
}

static unsigned reg_number(const struct x86_64_fields *d)
{
	return d->reg | (d->rex & REX_R ? 8u : 0);
}

static unsigned register_of_low_bits(const struct x86_64_fields *d, unsigned low)
{
	return low | (d->rex & REX_B ? 8u : 0);
}

static unsigned rm_written(const struct x86_64_fields *d, bool is_byte)
{
	unsigned number = register_of_low_bits(d, d->rm);

	if (d->mode != 3)
		return 0;
	return is_byte ? byte_register_bit(d, number) : all_bits(number);
}

static unsigned group_written(const struct x86_64_fields *d, char letter)
{
	switch (letter) {
	case 'I':
	case 'i':
		return d->reg == 7 ? 0 : rm_written(d, letter == 'I');
	case 'g':
	case 'G':
		if (d->reg == 2 || d->reg == 3)
			return rm_written(d, letter == 'g');
		return d->reg >= 4 && letter == 'G' ? BIT(RDX) : 0;
	case 'f':
		if (d->reg == 2 || d->reg == 3)
			return ALL;
		return d->reg < 2 ? rm_written(d, false) : 0;
	case 'h':
		return BIT(RDX) | rm_written(d, false);
	case 'e':
		return d->has_f3 && d->reg == 1 ? rm_written(d, false) : 0;
	default:
		return ALL;
	}
}

static unsigned written_by_letter(const struct x86_64_fields *d, char letter)
{
	unsigned low = register_of_low_bits(d, d->opcode & 7);

	switch (letter) {
	case '.':
		return 0;
	case 'M':
	case 'm':
		return rm_written(d, letter == 'M');
	case 'R':
		return byte_register_bit(d, reg_number(d));
	case 'r':
		return all_bits(reg_number(d));
	case 'X':
		return rm_written(d, false) | all_bits(reg_number(d));
	case 'Y':
		return rm_written(d, true) | byte_register_bit(d, reg_number(d));
	case 'o':
		return all_bits(low);
	case 'O':
		return byte_register_bit(d, low);
	case 'd':
		return BIT(RDX);
	case 'c':
		return BIT(RCX);
	default:
		return group_written(d, letter);
	}
}

static unsigned registers_written(const struct x86_64_fields *d)
{
	/* pcmpestri, pcmpistri return in ecx */
	unsigned strings = (d->opcode & 0xfc) == 0x60 ? BIT(RCX) : 0;

	switch (d->map) {
	case MAP_ONE:
		return written_by_letter(d, one_writes[d->opcode]);
	case MAP_0F:
		return written_by_letter(d, two_writes[d->opcode]);
	case MAP_0F38:
		return d->opcode >= 0xf0 ? all_bits(reg_number(d)) : 0;
	case MAP_0F3A:
		return strings |
		       (d->opcode >= 0x14 && d->opcode <= 0x17 ? rm_written(d, false) : 0);
	default:
		if (!d->has_modrm)
			return 0;
		return strings | all_bits(reg_number(d)) | all_bits(d->vector_register) |
		       rm_written(d, false);
	}
}

static bool moves_stack(const struct x86_64_fields *d)
{
	uint8_t opcode = d->opcode;

	if (d->map == MAP_0F)
		return opcode == 0xa0 || opcode == 0xa1 || opcode == 0xa8 || opcode == 0xa9;
	if (d->map != MAP_ONE)
		return false;
	if (opcode == 0xff)
		return d->reg == 2 || d->reg == 3 || d->reg == 6;
	return (opcode >= 0x50 && opcode <= 0x5f) || opcode == 0x68 || opcode == 0x6a ||
	       opcode == 0x8f || opcode == 0x9c || opcode == 0x9d || opcode == 0xe8 ||
	       (opcode >= 0xc8 && opcode <= 0xcb) || opcode == 0xc2 || opcode == 0xc3 ||
	       opcode == 0xcf;
}

static enum instruction_kind kind_in_one(const struct x86_64_fields *d)
{
	static const enum instruction_kind group5[8] = {
		[2] = INSTRUCTION_CALL_INDIRECT,
		[3] = INSTRUCTION_CALL_INDIRECT,
		[4] = INSTRUCTION_JUMP_INDIRECT,
		[5] = INSTRUCTION_JUMP_INDIRECT,
	};

	switch (d->opcode) {
	case 0x50 ... 0x57:
		return INSTRUCTION_PUSH;
	case 0x70 ... 0x7f:
	case 0xe0 ... 0xe3:
		return INSTRUCTION_BRANCH;
	case 0x90:
		return d->rex & REX_B ? INSTRUCTION_PLAIN : INSTRUCTION_NOP;
	case 0xc2:
	case 0xc3:
	case 0xca:
	case 0xcb:
	case 0xcf:
		return INSTRUCTION_RETURN;
	case 0xc7: /* xbegin */
		return d->mode == 3 && d->reg == 7 ? INSTRUCTION_BRANCH : INSTRUCTION_PLAIN;
	case 0xcc:
	case 0xf1:
	case 0xf4:
		return INSTRUCTION_STOP;
	case 0xe8:
		return INSTRUCTION_CALL;
	case 0xe9:
	case 0xeb:
		return INSTRUCTION_JUMP;
	case 0xff:
		return group5[d->reg];
	default:
		return INSTRUCTION_PLAIN;
	}
}

static enum instruction_kind kind_of(const struct x86_64_fields *d)
{
	if (d->map == MAP_ONE)
		return kind_in_one(d);
	if (d->map != MAP_0F)
		return INSTRUCTION_PLAIN;
	switch (d->opcode) {
	case 0x1f:
		return INSTRUCTION_NOP;
	case 0x80 ... 0x8f:
		return INSTRUCTION_BRANCH;
	case 0x0b:
	case 0xb9:
	case 0xff:
	case 0x07:
	case 0x35:
		return INSTRUCTION_STOP;
	default:
		return INSTRUCTION_PLAIN;
	}
}

/* Returns the condition of a jcc, from the low four bits of its opcode in both maps. */
static enum instruction_condition condition_of(
	const struct x86_64_fields *d, enum instruction_kind kind)
{
	bool is_jcc = d->map == MAP_0F || (d->opcode & 0xf0) == 0x70;

	if (kind != INSTRUCTION_BRANCH)
		return CONDITION_NONE;
	if (is_jcc && (d->opcode & 0xf) == 4)
		return CONDITION_ZERO;
	if (is_jcc && (d->opcode & 0xf) == 5)
		return CONDITION_NONZERO;
	return CONDITION_OTHER;
}

/* Returns whether an instruction tests RDI: test %rdi,%rdi and cmp $0,%rdi. */
static bool tests_rdi(const struct x86_64_fields *d)
{
	if (d->map != MAP_ONE || d->rex != REX_W || d->mode != 3 || d->rm != 7 || d->reg != 7)
		return false;
	return d->opcode == 0x85 || (d->opcode == 0x83 && d->immediate == 0);
}

/* Returns whether the flags stay, for the few instructions between a test and its branch. */
static bool keeps_flags(const struct x86_64_fields *d)
{
	uint8_t opcode = d->opcode;

	if (d->map == MAP_0F)
		return (opcode >= 0x10 && opcode <= 0x1f) || opcode == 0x28 || opcode == 0x29 ||
		       opcode == 0xb6 || opcode == 0xb7 || opcode == 0xbe || opcode == 0xbf;
	return d->map == MAP_ONE && ((opcode >= 0x50 && opcode <= 0x5f) || opcode == 0x63 ||
					    opcode == 0x8d || (opcode >= 0x88 && opcode <= 0x8b) ||
					    opcode == 0x90 || (opcode >= 0xb0 && opcode <= 0xbf) ||
					    ((opcode == 0xc6 || opcode == 0xc7) && d->reg == 0));
}

/* Returns whether it is one of the kernel's x86_nops[]; Linux 6.18 has no longer ones. */
static bool is_kernel_nop(const struct x86_64_fields *d, size_t length)
{
	static const char nops[][9] = {
		[2] = "\x66\x90",
		[3] = "\x0f\x1f\x00",
		[4] = "\x0f\x1f\x40\x00",
		[5] = "\x0f\x1f\x44\x00\x00",
		[6] = "\x66\x0f\x1f\x44\x00\x00",
		[7] = "\x0f\x1f\x80\x00\x00\x00\x00",
		[8] = "\x0f\x1f\x84\x00\x00\x00\x00\x00",
	};

	return length >= 2 && length < ARRAY_SIZE(nops) && !memcmp(d->start, nops[length], length);
}

static bool is_relative(enum instruction_kind kind)
{
	return kind == INSTRUCTION_JUMP || kind == INSTRUCTION_CALL || kind == INSTRUCTION_BRANCH;
}

static uint32_t emulated_since(const struct x86_64_fields *d, const struct instruction *i)
{
	bool is_loop = d->map == MAP_ONE && d->opcode >= 0xe0 && d->opcode <= 0xe3;

	if (d->has_lock || d->has_old_segment)
		return KERNEL_NEVER;
	if (is_relative(i->kind))
		return d->has_66 || is_loop || d->has_modrm ? KERNEL_NEVER : KERNEL_RELEASE(3, 16);
	if (i->kind == INSTRUCTION_PUSH)
		return i->length == 1 || (i->length == 2 && d->has_rex && d->rex == REX_B)
			       ? KERNEL_RELEASE(4, 16)
			       : KERNEL_NEVER;
	if (i->kind == INSTRUCTION_NOP && i->length == 1)
		return KERNEL_RELEASE(3, 16);
	return is_kernel_nop(d, i->length) ? KERNEL_RELEASE(6, 16) : KERNEL_NEVER;
}

static bool is_refused_for_probes(const struct x86_64_fields *d, enum instruction_kind kind)
{
	if (d->has_lock || d->has_old_segment)
		return true;
	if (d->map != MAP_ONE)
		return d->has_66 && is_relative(kind);
	switch (d->opcode) {
	case 0x6c ... 0x6f: /* ins, outs */
	case 0xcc ... 0xcf: /* int, iret */
	case 0xe4 ... 0xe7: /* in, out */
	case 0xec ... 0xef:
	case 0xf1:
	case 0xf4: /* hlt */
	case 0xfa: /* cli */
	case 0xfb:
		return true;
	case 0x90:
		return d->has_66 || d->rex & REX_B;
	default:
		return d->has_66 && is_relative(kind);
	}
}

static uint8_t arguments_in(unsigned registers)
{
	static const uint8_t arguments[] = { 7, 6, 2, 1, 8, 9 };
	uint8_t mask = 0;

	for (size_t i = 0; i < ARRAY_SIZE(arguments); i++)
		if (registers & BIT(arguments[i]))
			mask |= (uint8_t)BIT(i);
	return mask;
}

bool instruction_decode_x86_64(const void *code, size_t size, struct instruction *out)
{
	struct instruction i = { 0 };
	struct x86_64_fields d;
	unsigned registers;

	if (!x86_64_split(code, size, &d))
		return false;
	registers = registers_written(&d);
	i.length = (uint8_t)(d.at.at - d.start);
	i.kind = kind_of(&d);
	i.condition = condition_of(&d, i.kind);
	i.arguments_written = arguments_in(registers);
	i.changes_stack = registers & BIT(RSP) || moves_stack(&d);
	i.changes_return = i.changes_stack;
	i.is_ip_relative = d.is_ip_relative || is_relative(i.kind);
	i.keeps_flags = i.kind == INSTRUCTION_BRANCH || keeps_flags(&d);
	i.tests_argument0 = tests_rdi(&d);
	i.emulated_since = emulated_since(&d, &i);
	i.is_refused = is_refused_for_probes(&d, i.kind);
	if (is_relative(i.kind))
		i.target = i.length + d.immediate;
	*out = i;
	return true;
}

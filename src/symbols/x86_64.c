/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86-64, 64-bit mode: where an instruction ends, from tables with one letter an
 * opcode. Maps 0F, 0F 38, 0F 3A, 3DNow!, VEX, EVEX (maps 1, 2, 3, 5, 6) and XOP are
 * known; APX (REX2, EVEX map 4) and a 16-bit operand size on near branches, whose
 * length Intel and AMD see differently, are not.
 */
#include "symbols/x86_64.h"

#include <string.h>

#include "symbols/instruction.h"

#define PREFIXES_MAX 14

/*
 * Bytes that follow an opcode:
 *   .  nothing       m  ModRM        b  imm8        z  imm32 (16 with 66)
 *   B  ModRM, imm8   Z  ModRM, imm32 (16)           v  imm32 (16, or 64 with REX.W)
 *   j  rel8          J  rel32        o  address of 64 bits (32 with 67)
 *   w  imm16         e  imm16, imm8  t  ModRM, and imm8 when its reg is 0 or 1
 *   T  likewise imm32 (16)           r  ModRM naming registers only
 *   x  not an instruction, or a prefix or escape that does not get here
 */
static const char one_follows[] = "mmmmbzxxmmmmbzxx"  /* 00 */
				  "mmmmbzxxmmmmbzxx"  /* 10 */
				  "mmmmbzxxmmmmbzxx"  /* 20 */
				  "mmmmbzxxmmmmbzxx"  /* 30 */
				  "xxxxxxxxxxxxxxxx"  /* 40 */
				  "................"  /* 50 */
				  "xxxmxxxxzZbB...."  /* 60 */
				  "jjjjjjjjjjjjjjjj"  /* 70 */
				  "BZxBmmmmmmmmmmmm"  /* 80 */
				  "..........x....."  /* 90 */
				  "oooo....bz......"  /* a0 */
				  "bbbbbbbbvvvvvvvv"  /* b0 */
				  "BBw.xxBZe.w..bx."  /* c0 */
				  "mmmmxxx.mmmmmmmm"  /* d0 */
				  "jjjjbbbbJJxj...."  /* e0 */
				  "x.xx..tT......mm"; /* f0 */

static const char two_follows[] = "mmmmx.....x.xm.B"  /* 00 */
				  "mmmmmmmmmmmmmmmm"  /* 10 */
				  "rrrrxxxxmmmmmmmm"  /* 20 */
				  "......x.xxxxxxxx"  /* 30 */
				  "mmmmmmmmmmmmmmmm"  /* 40 */
				  "mmmmmmmmmmmmmmmm"  /* 50 */
				  "mmmmmmmmmmmmmmmm"  /* 60 */
				  "BBBBmmm.mmxxmmmm"  /* 70 */
				  "JJJJJJJJJJJJJJJJ"  /* 80 */
				  "mmmmmmmmmmmmmmmm"  /* 90 */
				  "...mBmrr...mBmmm"  /* a0 */
				  "mmmmmmmmmmBmmmmm"  /* b0 */
				  "mmBmBBBm........"  /* c0 */
				  "mmmmmmmmmmmmmmmm"  /* d0 */
				  "mmmmmmmmmmmmmmmm"  /* e0 */
				  "mmmmmmmmmmmmmmmm"; /* f0 */

_Static_assert(sizeof(one_follows) == 257 && sizeof(two_follows) == 257, "a letter an opcode");

/* Decodes one legacy prefix; false: `byte` is no such prefix. */
static bool decode_legacy_prefix(struct x86_64_fields *d, uint8_t byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		return d->has_old_segment = true;
	case 0x64:
	case 0x65:
		return true;
	case 0x66:
		return d->has_66 = true;
	case 0x67:
		return d->has_67 = true;
	case 0xf0:
		return d->has_lock = true;
	case 0xf2:
		return d->has_f2 = true;
	case 0xf3:
		return d->has_f3 = true;
	default:
		return false;
	}
}

/* Decodes all prefixes, and returns the first byte after them. A REX that is not the last prefix
 * has no effect. */
static uint8_t decode_prefixes(struct x86_64_fields *d)
{
	uint8_t byte = cursor_u8(&d->at);

	for (int i = 0; i < PREFIXES_MAX; i++) {
		if ((byte & 0xf0) == 0x40) {
			d->has_rex = true;
			d->rex = byte & 0xf;
		} else if (decode_legacy_prefix(d, byte)) {
			d->has_rex = false;
			d->rex = 0;
		} else {
			break;
		}
		byte = cursor_u8(&d->at);
	}
	return byte;
}

/* Decodes a VEX, EVEX or XOP prefix after its first byte. These allow no legacy prefix with the
 * same meaning. */
static bool decode_vector_prefix(struct x86_64_fields *d, uint8_t first)
{
	uint8_t a = cursor_u8(&d->at), b;

	if (d->has_rex || d->has_66 || d->has_f2 || d->has_f3 || d->has_lock)
		return false;
	d->map = MAP_VECTOR;
	d->rex = (uint8_t)(~a >> 5 & 7); /* R, X, B are inverted, in REX's order */
	if (first == 0xc5) {
		d->vector = VECTOR_VEX;
		d->vector_map = 1;
		d->rex &= REX_R;
		b = a;
	} else {
		b = cursor_u8(&d->at);
		d->vector = first == 0x62 ? VECTOR_EVEX : first == 0x8f ? VECTOR_XOP : VECTOR_VEX;
		d->vector_map = a & (first == 0x62 ? 7 : 31);
		if (b & 0x80)
			d->rex |= REX_W;
	}
	d->vector_register = (uint8_t)(~b >> 3 & 15);
	if (first == 0x62) {
		/* These two bits belong to APX. */
		if ((a & 8) || !(b & 4))
			return false;
		cursor_u8(&d->at);
	}
	d->opcode = cursor_u8(&d->at);
	return true;
}

static bool decode_opcode(struct x86_64_fields *d)
{
	uint8_t byte = decode_prefixes(d);

	if (byte == 0xc4 || byte == 0xc5 || byte == 0x62)
		return decode_vector_prefix(d, byte);
	/* 8F is pop if reg is 0; maps of XOP, from 8 on, have another value there. */
	if (byte == 0x8f && cursor_left(&d->at) && (*d->at.at & 0x1f) >= 8)
		return decode_vector_prefix(d, byte);
	d->map = MAP_ONE;
	if (byte == 0x0f) {
		d->map = MAP_0F;
		byte = cursor_u8(&d->at);
		if (byte == 0x38 || byte == 0x3a) {
			d->map = byte == 0x38 ? MAP_0F38 : MAP_0F3A;
			byte = cursor_u8(&d->at);
		}
	}
	d->opcode = byte;
	return true;
}

static char vector_follows(const struct x86_64_fields *d)
{
	if (d->vector == VECTOR_XOP)
		return d->vector_map == 8    ? 'B'
		       : d->vector_map == 9  ? 'm'
		       : d->vector_map == 10 ? 'Z'
					     : 'x';
	switch (d->vector_map) {
	case 1:
		if (d->opcode == 0x77 && d->vector == VECTOR_VEX)
			return '.';
		return (d->opcode >= 0x70 && d->opcode <= 0x73) || d->opcode == 0xc2 ||
				       (d->opcode >= 0xc4 && d->opcode <= 0xc6)
			       ? 'B'
			       : 'm';
	case 2:
		return 'm';
	case 3:
		return 'B';
	case 5:
	case 6:
		return d->vector == VECTOR_EVEX ? 'm' : 'x';
	default:
		return 'x';
	}
}

static char form_of(const struct x86_64_fields *d)
{
	switch (d->map) {
	case MAP_ONE:
		return one_follows[d->opcode];
	case MAP_0F:
		return two_follows[d->opcode];
	case MAP_0F38:
		return 'm';
	case MAP_0F3A:
		return 'B';
	default:
		return vector_follows(d);
	}
}

static void decode_modrm(struct x86_64_fields *d, bool names_registers)
{
	uint8_t modrm = cursor_u8(&d->at), sib = 0;
	size_t displacement;

	d->has_modrm = true;
	d->mode = names_registers ? 3 : modrm >> 6;
	d->reg = modrm >> 3 & 7;
	d->rm = modrm & 7;
	if (d->mode == 3)
		return;
	if (d->rm == 4)
		sib = cursor_u8(&d->at);
	d->is_ip_relative = d->mode == 0 && d->rm == 5;
	displacement = d->mode == 1 ? 1 : d->mode == 2 ? 4 : 0;
	if (d->mode == 0 && (d->rm == 5 || (d->rm == 4 && (sib & 7) == 5)))
		displacement = 4;
	cursor_bytes(&d->at, displacement);
}

static void decode_immediate(struct x86_64_fields *d, size_t size)
{
	switch (size) {
	case 1:
		d->immediate = (int8_t)cursor_u8(&d->at);
		break;
	case 2:
		d->immediate = (int16_t)cursor_u16(&d->at);
		break;
	case 4:
		d->immediate = (int32_t)cursor_u32(&d->at);
		break;
	default:
		cursor_bytes(&d->at, size);
	}
}

/* Returns the size of the bytes that follow, without ModRM. */
static size_t immediate_size(const struct x86_64_fields *d, char form)
{
	bool is_short = d->has_66 && !(d->rex & REX_W);

	switch (form) {
	case 'b':
	case 'B':
	case 'j':
		return 1;
	case 'w':
		return 2;
	case 'e':
		return 3;
	case 'J':
		return 4;
	case 'z':
	case 'Z':
		return is_short ? 2 : 4;
	case 'v':
		return d->rex & REX_W ? 8 : is_short ? 2 : 4;
	case 'o':
		return d->has_67 ? 4 : 8;
	case 't':
		return d->reg < 2 ? 1 : 0;
	case 'T':
		return d->reg >= 2 ? 0 : is_short ? 2 : 4;
	default:
		return 0;
	}
}

/* Checks groups in which some members are no instructions. */
static bool is_group_member(const struct x86_64_fields *d)
{
	if (d->map != MAP_ONE)
		return true;
	switch (d->opcode) {
	case 0x8f:
		return d->reg == 0;
	case 0xfe:
		return d->reg < 2;
	case 0xff:
		return d->reg < 7;
	default:
		return true;
	}
}

static bool decode_operands(struct x86_64_fields *d)
{
	char form = form_of(d);

	if (form == 'x' || (form == 'J' && d->has_66 && !(d->rex & REX_W)))
		return false;
	if (strchr("mBZtTr", form))
		decode_modrm(d, form == 'r');
	decode_immediate(d, immediate_size(d, form));
	/* SSE4a extrq and insertq */
	if (d->map == MAP_0F && d->opcode == 0x78 && (d->has_66 || d->has_f2))
		cursor_bytes(&d->at, 2);
	return is_group_member(d);
}

bool x86_64_split(const void *code, size_t size, struct x86_64_fields *d)
{
	*d = (struct x86_64_fields){ .start = code };
	d->at = cursor_over(code, size < INSTRUCTION_LENGTH_MAX ? size : INSTRUCTION_LENGTH_MAX);
	return decode_opcode(d) && decode_operands(d) && !d->at.failed;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The fields of an x86-64 instruction: found by x86_64_split(), read by instruction_x86_64.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

enum opcode_map {
	MAP_ONE, /* no escape */
	MAP_0F,
	MAP_0F38,
	MAP_0F3A,
	MAP_VECTOR, /* VEX, EVEX or XOP */
};

enum vector_prefix {
	VECTOR_NONE,
	VECTOR_VEX,
	VECTOR_EVEX,
	VECTOR_XOP,
};

enum rex_bit {
	REX_B = 1,
	REX_X = 2,
	REX_R = 4,
	REX_W = 8,
};

struct x86_64_fields {
	const unsigned char *start;
	struct cursor at;
	uint8_t rex; /* REX prefix; also the bits that a vector prefix has instead of REX */
	bool has_rex, has_66, has_67, has_f2, has_f3, has_lock, has_old_segment;
	enum opcode_map map;
	enum vector_prefix vector;
	uint8_t vector_map, vector_register;
	uint8_t opcode;
	bool has_modrm, is_ip_relative;
	uint8_t mode, reg, rm; /* parts of ModRM; reg and rm without REX */
	int64_t immediate;
};

/* Parses the instruction at the start of `size` bytes; d->at is after it then. False if there are
 * too few bytes, or the instruction is unknown. */
bool x86_64_split(const void *code, size_t size, struct x86_64_fields *d);

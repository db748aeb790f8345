/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One machine instruction, described as far as choosing a place for a probe needs: its length,
 * where control goes, which argument registers it may write, and whether the kernel emulates it
 * under a uprobe (some 500 ns a hit) or single-steps a copy of it (some 10,000 ns). Not a
 * disassembler.
 *
 * The registers reported as written may be too many, never too few: string and system instructions
 * write everything, vector instructions the general registers of the same numbers.
 *
 * Cannot see: the target of an indirect jump; what a called function does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum machine {
	MACHINE_X86_64,
	MACHINE_AARCH64,
};

enum instruction_kind {
	INSTRUCTION_PLAIN, /* none of the other kinds; the next instruction follows */
	INSTRUCTION_NOP,
	INSTRUCTION_PUSH,    /* push of one register */
	INSTRUCTION_ADDRESS, /* aarch64 adr, adrp */
	INSTRUCTION_JUMP,    /* jump to target */
	INSTRUCTION_BRANCH,  /* jump to target if its condition holds, else to the next instruction
			      */
	INSTRUCTION_CALL, /* call of target; the next instruction follows if the callee returns */
	INSTRUCTION_JUMP_INDIRECT,
	INSTRUCTION_CALL_INDIRECT,
	INSTRUCTION_RETURN,
	INSTRUCTION_STOP, /* ud2, int3, hlt, brk, udf: nothing follows */
};

/* The condition of a branch, as far as a test for NULL uses it. */
enum instruction_condition {
	CONDITION_NONE,
	CONDITION_ZERO, /* taken when the value tested was zero */
	CONDITION_NONZERO,
	CONDITION_OTHER,
};

/* A kernel's version in the form of LINUX_VERSION_CODE, without the patch level. */
#define KERNEL_RELEASE(major, minor) ((uint32_t)(major) << 16 | (uint32_t)(minor) << 8)
#define KERNEL_NEVER		     UINT32_MAX

#define INSTRUCTION_LENGTH_MAX 15

struct instruction {
	uint8_t length;
	enum instruction_kind kind;
	enum instruction_condition condition;
	/* Bit i: argument register i may be written (rdi rsi rdx rcx r8 r9; x0 to x7). */
	uint8_t arguments_written;
	bool changes_stack; /* the stack pointer */
	/* the stack pointer or the link register: a return probe after it does not find the return
	 * address any more */
	bool changes_return;
	bool is_ip_relative; /* reads, writes or computes an address relative to the instruction */
	bool keeps_flags;    /* true: certainly; false: unknown */
	/* A branch: it tests whether argument 0 is (non-)zero. Others: afterwards the zero flag
	 * shows whether all 64 bits of argument 0 are zero. */
	bool tests_argument0;
	/* The first kernel whose uprobes emulate it; KERNEL_NEVER: it is single-stepped. */
	uint32_t emulated_since;
	/* Kernels that do not emulate it are known to refuse a uprobe on it, or to handle it
	 * incorrectly. */
	bool is_refused;
	int64_t target; /* distance from its first byte: JUMP, BRANCH, CALL */
};

/* Decodes the instruction at the start of `size` bytes. False, with *out unchanged, if there are
 * too few bytes, or the instruction is unknown. */
bool instruction_decode(
	enum machine machine, const void *code, size_t size, struct instruction *out);
/* Returns the distance to the next place to try when decoding failed: 1, or 4 on aarch64. */
size_t instruction_step(enum machine machine);
bool instruction_falls_through(const struct instruction *i);
const char *instruction_kind_name(enum instruction_kind kind);

/* Decodes x86-64. There is one decoder per machine, used by instruction_decode(). */
bool instruction_decode_x86_64(const void *code, size_t size, struct instruction *out);
bool instruction_decode_aarch64(const void *code, size_t size, struct instruction *out);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls the machine's decoder, and derives facts that follow only from an instruction's kind. */
#include "symbols/instruction.h"

#include <assert.h>

bool instruction_decode(
	enum machine machine, const void *code, size_t size, struct instruction *out)
{
	switch (machine) {
	case MACHINE_X86_64:
		return instruction_decode_x86_64(code, size, out);
	case MACHINE_AARCH64:
		return instruction_decode_aarch64(code, size, out);
	}
	return false;
}

size_t instruction_step(enum machine machine)
{
	return machine == MACHINE_AARCH64 ? 4 : 1;
}

bool instruction_falls_through(const struct instruction *i)
{
	assert(i);
	switch (i->kind) {
	case INSTRUCTION_JUMP:
	case INSTRUCTION_JUMP_INDIRECT:
	case INSTRUCTION_RETURN:
	case INSTRUCTION_STOP:
		return false;
	default:
		return true;
	}
}

const char *instruction_kind_name(enum instruction_kind kind)
{
	static const char *const names[] = {
		[INSTRUCTION_PLAIN] = "plain",
		[INSTRUCTION_NOP] = "nop",
		[INSTRUCTION_PUSH] = "push",
		[INSTRUCTION_ADDRESS] = "address",
		[INSTRUCTION_JUMP] = "jump",
		[INSTRUCTION_BRANCH] = "branch",
		[INSTRUCTION_CALL] = "call",
		[INSTRUCTION_JUMP_INDIRECT] = "indirect jump",
		[INSTRUCTION_CALL_INDIRECT] = "indirect call",
		[INSTRUCTION_RETURN] = "return",
		[INSTRUCTION_STOP] = "stop",
	};

	return (size_t)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "unknown";
}

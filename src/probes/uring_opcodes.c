/* SPDX-License-Identifier: BSD-2-Clause */
#include "probes/uring_opcodes.h"

#include <assert.h>
#include <stdbool.h>

#include "base/cleanup.h"

#define URING_OPCODE(number, name) [number] = #name,
static const char *const names[] = {
#include "probes/uring_opcodes.def"
};
#undef URING_OPCODE

const struct sooth_names uring_opcode_names = { sizeof(names) / sizeof(names[0]), names };

/* Returns whether an opcode sends, receives or connects (numbers of probes/uring_opcodes.def). */
static bool is_network(uint32_t opcode)
{
	static const uint8_t opcodes[] = { 9, 10, 13, 16, 26, 27, 45, 47, 48, 58 };

	for (size_t i = 0; i < ARRAY_SIZE(opcodes); i++) {
		if (opcodes[i] == opcode)
			return true;
	}
	return false;
}

uint64_t uring_network_requests(const struct syscalls_uring *u)
{
	assert(u);
	return is_network(u->opcode) ? u->count : u->sockets;
}

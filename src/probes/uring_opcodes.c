/* SPDX-License-Identifier: BSD-2-Clause */
#include "probes/uring_opcodes.h"

#define URING_OPCODE(number, name) [number] = #name,
static const char *const names[] = {
#include "probes/uring_opcodes.def"
};
#undef URING_OPCODE

const struct sooth_names uring_opcode_names = { sizeof(names) / sizeof(names[0]), names };

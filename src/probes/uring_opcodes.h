/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of what is submitted through io_uring; a newer one shows as its number. */
#ifndef SOOTH_PROBES_URING_OPCODES_H
#define SOOTH_PROBES_URING_OPCODES_H

#include <sooth/field.h>

extern const struct sooth_names uring_opcode_names;

#endif

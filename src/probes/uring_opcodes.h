/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of what is submitted through io_uring; a newer one shows as its number. */
#ifndef SOOTH_PROBES_URING_OPCODES_H
#define SOOTH_PROBES_URING_OPCODES_H

#include <sooth/field.h>

#include "probes/syscalls.h"

extern const struct sooth_names uring_opcode_names;

/* How many of the requests were to the network: by what they do, or what they are about. */
uint64_t uring_network_requests(const struct syscalls_uring *u);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of io_uring opcodes. An opcode without a name is shown as its number. */
#pragma once

#include <sooth/field.h>

#include "probes/syscalls.h"

extern const struct sooth_names uring_opcode_names;

/* Returns how many of the requests used the network: all, if the opcode does, else `sockets`. */
uint64_t uring_network_requests(const struct syscalls_uring *u);

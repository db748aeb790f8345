/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's load and memory, from records of writers of any age. */
#pragma once

#include "model/row_list.h"
#include "probes/host.h"

#define MEMORY_ROW(F, S)                                                                           \
	F(S, ALSO, U64, memory.total_bytes, total_bytes, WITH(memory.memory_state),                \
		"memory of the host", .unit = SOOTH_UNIT_BYTES)                                    \
	F(S, ALSO, U64, memory.available_bytes, available_bytes, WITH(memory.available_state),     \
		"memory available without swapping", .unit = SOOTH_UNIT_BYTES)                     \
	F(S, ALSO, U64, memory.free_bytes, free_bytes, WITH(memory.memory_state), "unused memory", \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, ALSO, U64, memory.swap_total_bytes, swap_total_bytes, WITH(memory.swap_state),        \
		"swap space", .unit = SOOTH_UNIT_BYTES)                                            \
	F(S, U64, swap_used_bytes, WITH(memory.swap_state), "swap space used",                     \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, ALSO, REAL, memory.some_10s, some_10s_percent, WITH(memory.pressure_state),           \
		"share of the last 10 s in which some task waited for memory", .decimals = 2,      \
		.unit = SOOTH_UNIT_PERCENT)                                                        \
	F(S, ALSO, REAL, memory.full_10s, full_10s_percent, WITH(memory.pressure_state),           \
		"share of the last 10 s in which all tasks waited", .decimals = 2,                 \
		.unit = SOOTH_UNIT_PERCENT)

struct memory_row {
	struct host_memory memory;
	ROW_MEMBERS(MEMORY_ROW, memory_row)
};

/* Returns whether `r` is a load record; fields that an older writer lacks are not measured. */
bool host_load_read_record(struct host_load *out, const struct sooth_record *r);

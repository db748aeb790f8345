/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of generated code from /tmp/perf-PID.map, a file that a runtime writes. A line is
 * "START SIZE NAME", numbers in hexadecimal. A runtime reuses memory, and the file has no times: if
 * lines give an address different names, the address has none. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

#define PERF_MAP_NAME_MAX 255

struct perf_map_place {
	uint64_t address; /* the input */
	uint64_t begin;
	bool is_found;
	bool is_reused; /* lines with different names cover the address */
	char name[PERF_MAP_NAME_MAX + 1];
};

/* Fills in `places`, which are sorted by address, from whole lines. */
void perf_map_parse(struct perf_map_place *places, size_t count, const void *data, size_t size);
/* Fills in the places inside one function. Without a name its code is not known, and the places
 * have no name. */
void perf_map_put(struct perf_map_place *places, size_t count, uint64_t begin, uint64_t size,
	struct span name);

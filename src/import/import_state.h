/* SPDX-License-Identifier: BSD-2-Clause */
/* A conversion into a capture: records are appended, and written as blocks when there are enough.
 */
#pragma once

#include <stdio.h>

#include "capture/block.h"

struct import {
	FILE *to;
	struct buffer records;
	uint64_t sequence;
	uint64_t watermark_ns; /* no later record is earlier */
	struct block_encoder encoder;
	struct buffer bytes;
};

/* Reads events of memtrack from `from` (its artifact, or lines of JSON), and adds them to `i`. */
int import_memtrack(
	struct import *i, FILE *from, bool is_lines, const char *path, struct sooth_error *err);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes with samples in generated code: which engine made the code, and the perf map or jitdump
 * that names it, if the engine was started to write one. That file is found when the first such
 * sample arrives, because the process may be gone at the end. */
#pragma once

#include "base/map.h"
#include "os/linux/files/timeout.h"
#include "os/linux/profile/jit_dump.h"
#include "os/linux/runtimes/runtimes_seen.h"

struct generated {
	struct map processes; /* uint32_t pid -> struct generated_process */
	struct runtimes runtimes;
	struct timeout timeout;
};

struct generated_process {
	int root; /* root directory of the process; negative: none */
	int dump; /* jitdump of the process; negative: none */
	uint32_t inner_pid;
	uint32_t owner;
	const char *engine; /* "V8"; NULL: unknown */
};

void generated_init(struct generated *g);
void generated_fini(struct generated *g);
/* Notes a sample in generated code of the process. */
void generated_meet(struct generated *g, uint32_t pid);
/* Returns the engine's name; NULL: unknown. */
const char *generated_engine(const struct generated *g, uint32_t pid);
/* Fills in `places` of the process, which are sorted by address. */
void generated_names(
	struct generated *g, uint32_t pid, struct perf_map_place *places, size_t count);

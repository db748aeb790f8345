/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs of the system that each observe one process: fs_usage(1), sample(1). */
#pragma once

#include "model/process_id.h"
#include "os/bsd/tool.h"

#define TOOL_SLOTS 16

struct tool_slot {
	struct process_id process; /* pid 0: a free place */
	struct tool tool;
	unsigned failures; /* failures in a row, counted by the owner */
};

struct tool_slots {
	struct tool_slot all[TOOL_SLOTS];
};

void tool_slots_init(struct tool_slots *s);
/* Ends all programs. */
void tool_slots_fini(struct tool_slots *s);
/*
 * Lets a process join (interest not 0) or leave, which ends its program. `*added`: the slot of a
 * new process. -E2BIG: there are too many; the error names `program`.
 */
int tool_slots_set(struct tool_slots *s, const struct process_id *process, unsigned interest,
	const char *program, struct tool_slot **added, struct sooth_error *err);

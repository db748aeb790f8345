/* SPDX-License-Identifier: BSD-2-Clause */
/* Executes the instructions of .eh_frame (DWARF 5, 6.4.2): each changes how the caller's registers
 * are found from an address on. */
#pragma once

#include "base/cursor.h"
#include "bpf/unwind.h"
#include "symbols/instruction.h"

enum unwind_where {
	WHERE_KEPT,	 /* in the register */
	WHERE_FRAME,	 /* at frame + offset */
	WHERE_FP,	 /* at frame pointer + offset */
	WHERE_UNDEFINED, /* the register has no value; as return address: there is no caller */
	WHERE_OTHER,	 /* anything else */
};

struct unwind_saved {
	enum unwind_where where;
	int64_t offset;
};

struct unwind_state {
	enum unwind_kind kind; /* kind of the frame address: SP, FP, FP_SAVED, PLT or RULE */
	uint64_t reg;	       /* register of SP, FP, RULE */
	int64_t offset;
	struct unwind_saved fp, ra;
};

#define UNWIND_REMEMBERED_MAX 16

/* The content of a CIE, which many functions share. */
struct unwind_common {
	uint64_t code_align;
	int64_t data_align;
	uint64_t ra; /* register of the return address */
	uint8_t encoding;
	bool has_size; /* functions have a length of augmentation data */
	bool is_signal;
	struct unwind_state initial;
};

struct unwind_run {
	enum machine machine;
	const struct unwind_common *common;
	struct unwind_state state;
	uint64_t address;
	uint64_t budget; /* number of instructions that may still be executed */
	struct unwind_state remembered[UNWIND_REMEMBERED_MAX];
	size_t remembered_count;
	bool is_unknown; /* an instruction was not understood */
};

void unwind_run_init(
	struct unwind_run *r, enum machine machine, const struct unwind_common *common);
/* Executes until the address changes, and sets *next to the new one. False: at the end, or
 * failed. */
bool unwind_run_advance(struct unwind_run *r, struct cursor *c, uint64_t *next);
/* Returns the state as a rule. */
struct unwind_rule unwind_rule_of(const struct unwind_run *r);
uint64_t unwind_uleb(struct cursor *c);
int64_t unwind_sleb(struct cursor *c);

/* SPDX-License-Identifier: BSD-2-Clause */
/* The instructions of .eh_frame (DWARF 5, 6.4.2): each changes how the caller's registers are
 * found from some address on. */
#ifndef SOOTH_OS_LINUX_UNWIND_PROGRAM_H
#define SOOTH_OS_LINUX_UNWIND_PROGRAM_H

#include "base/cursor.h"
#include "bpf/unwind.h"
#include "symbols/instruction.h"

enum unwind_where {
	WHERE_KEPT,	 /* in the register */
	WHERE_FRAME,	 /* at frame + offset */
	WHERE_FP,	 /* at frame pointer + offset */
	WHERE_UNDEFINED, /* it has none: of the return address, there is no caller */
	WHERE_OTHER,	 /* anything else */
};

struct unwind_saved {
	enum unwind_where where;
	int64_t offset;
};

struct unwind_state {
	enum unwind_kind kind; /* of the frame: SP, FP, FP_SAVED, PLT or RULE */
	uint64_t reg;	       /* SP, FP, RULE: its register */
	int64_t offset;
	struct unwind_saved fp, ra;
};

#define UNWIND_REMEMBERED_MAX 16

/* The content of a CIE, common to many functions. */
struct unwind_common {
	uint64_t code_align;
	int64_t data_align;
	uint64_t ra; /* register */
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
	uint64_t budget; /* instructions that may still be executed */
	struct unwind_state remembered[UNWIND_REMEMBERED_MAX];
	size_t remembered_count;
	bool is_unknown; /* an instruction that is not understood */
};

void unwind_run_init(
	struct unwind_run *r, enum machine machine, const struct unwind_common *common);
/* Executes until the address changes; *next is the new one. False: at the end, or on failure. */
bool unwind_run_advance(struct unwind_run *r, struct cursor *c, uint64_t *next);
/* The state as a rule. */
struct unwind_rule unwind_rule_of(const struct unwind_run *r);
uint64_t unwind_uleb(struct cursor *c);
int64_t unwind_sleb(struct cursor *c);

#endif

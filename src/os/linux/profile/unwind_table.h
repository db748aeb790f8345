/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The unwind table of a file (bpf/unwind.h), made of its .eh_frame: the rules by which an address
 * and the registers there lead to the caller's frame. Only the stack pointer, the frame pointer and
 * the return address are followed.
 *
 * The bytes are foreign: every read is bounded, and so is the work, also of programs that are
 * written to take long. libdw reads the same information for one address at a time, and begins each
 * at its function's start: the rows of a function with many would take the square of their number,
 * without a bound.
 */
#ifndef SOOTH_OS_LINUX_UNWIND_TABLE_H
#define SOOTH_OS_LINUX_UNWIND_TABLE_H

#include <stdatomic.h>

#include "base/buffer.h"
#include "bpf/unwind.h"
#include "symbols/instruction.h"

#define UNWIND_SEGMENTS_MAX 16

/* Code, as it is loaded. */
struct unwind_segment {
	uint64_t address, offset, size;
};

struct unwind_input {
	enum machine machine;
	const void *frames; /* the section .eh_frame */
	size_t size;
	uint64_t address; /* of the section */
	struct unwind_segment segments[UNWIND_SEGMENTS_MAX];
	size_t segment_count;
	const atomic_bool *is_stopping; /* gives up when it becomes true; NULL: never */
};

struct unwind_table {
	struct buffer rules; /* struct unwind_rule */
	struct buffer rows;  /* struct unwind_row, by offset, each once */
	uint64_t ignored;    /* functions whose information could not be read */
	bool is_cut;	     /* a bound was reached: there is more */
};

/* False: out of memory, or it was stopped. The table is to be freed in any case. */
bool unwind_table_make(struct unwind_table *t, const struct unwind_input *in);
void unwind_table_fini(struct unwind_table *t);
/* How many of `count` rows are at an offset or before it. */
size_t unwind_table_rows_to(const struct unwind_row *rows, size_t count, uint64_t offset);
/* The start of the function at an offset, from `count` rows; false: unknown. */
bool unwind_table_entry(
	const struct unwind_row *rows, size_t count, uint64_t offset, uint64_t *entry);

#endif

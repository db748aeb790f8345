/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The unwind table of a file (bpf/unwind.h), made from its .eh_frame: rules that lead from an
 * address and its registers to the caller's frame. Only the stack pointer, the frame pointer and
 * the return address are followed.
 *
 * The bytes come from an untrusted file: every read is bounded, and so is the work for programs
 * that are made to take long. libdw reads the same information for one address at a time, each from
 * the start of its function. For a function with many rows its time would grow with the square of
 * their number, without a bound.
 */
#pragma once

#include <stdatomic.h>

#include "base/buffer.h"
#include "bpf/unwind.h"
#include "symbols/instruction.h"

#define UNWIND_SEGMENTS_MAX 16

/* A code segment, as it is loaded. */
struct unwind_segment {
	uint64_t address, offset, size;
};

struct unwind_input {
	enum machine machine;
	const void *frames; /* the section .eh_frame */
	size_t size;
	uint64_t address; /* address of the section */
	struct unwind_segment segments[UNWIND_SEGMENTS_MAX];
	size_t segment_count;
	const atomic_bool *is_stopping; /* the work stops when this becomes true; NULL: never */
};

struct unwind_table {
	struct buffer rules; /* struct unwind_rule */
	struct buffer rows;  /* struct unwind_row, by offset, each once */
	uint64_t ignored;    /* functions with unreadable information */
	bool is_cut;	     /* a bound was reached: the table is incomplete */
};

/* Makes a table. False: no memory, or it was stopped. The caller frees the table in any case. */
bool unwind_table_make(struct unwind_table *t, const struct unwind_input *in);
void unwind_table_fini(struct unwind_table *t);
/* Returns how many of `count` rows are at or before an offset. */
size_t unwind_table_rows_to(const struct unwind_row *rows, size_t count, uint64_t offset);
/* Finds the start of the function at an offset in `count` rows; false: unknown. */
bool unwind_table_entry(
	const struct unwind_row *rows, size_t count, uint64_t offset, uint64_t *entry);

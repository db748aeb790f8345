/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Unwind tables, which user space makes from .eh_frame (os/linux/profile/unwind_table.h) for walks
 * in the kernel. A table has the rules of a file, then rows, sorted by their offset in the file. A
 * row applies up to the next row; its rule finds the caller's frame from the registers of a frame.
 */
#pragma once

#ifndef __bpf__
#include <stdint.h>
#endif

enum unwind_kind {
	UNWIND_NONE, /* no unwind information for this place */
	UNWIND_END,  /* the entry of a thread: there is no caller */
	UNWIND_RULE, /* unwind information that these rules cannot express */
	UNWIND_SP,   /* the frame is at stack pointer + offset */
	UNWIND_FP,   /* frame address = frame pointer + offset */
	/* its address is stored at frame pointer + offset, and so is the caller's frame pointer:
	 * of functions that align their stack */
	UNWIND_FP_SAVED,
	UNWIND_PLT,    /* x86-64: a stub of the linker; at offset of its 16 bytes it has pushed */
	UNWIND_SIGNAL, /* the kernel's frame of a signal handler, at the stack pointer */
};

#define UNWIND_KEPT	  (-32768) /* the register still has the caller's value */
#define UNWIND_KIND_BITS  4
#define UNWIND_OFFSET_MAX ((1 << (31 - UNWIND_KIND_BITS)) - 1)
#define UNWIND_RULES_MAX  4096	     /* number of rules of one file */
#define UNWIND_ROWS_MAX	  (1u << 22) /* number of rows of one file */
#define UNWIND_SEARCH_MAX 24	     /* steps of the search in the rows */

struct unwind_rule {
	int32_t frame; /* offset << UNWIND_KIND_BITS | kind */
	int16_t fp;    /* offset from the frame to the caller's frame pointer; UNWIND_KEPT */
	int16_t ra;    /* offset from the frame to the return address; UNWIND_KEPT: in the link
			  register */
};

struct unwind_row {
	uint32_t offset; /* offset in the file */
	uint32_t rule;	 /* index; UNWIND_IS_ENTRY: a function begins here */
};

#define UNWIND_IS_ENTRY (1u << 31)

union unwind_entry {
	struct unwind_rule rule;
	struct unwind_row row;
};

_Static_assert(sizeof(union unwind_entry) == 8, "entries of a BPF array have 8 bytes");

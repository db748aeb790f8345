/* SPDX-License-Identifier: BSD-2-Clause */
/* What a call is to those who judge: whether it only looks, empties a file, waits; and which of
 * its errors are answers. A row of data a call. */
#ifndef SOOTH_ANALYZE_CALL_KINDS_H
#define SOOTH_ANALYZE_CALL_KINDS_H

#include "analyze/calls/call_pieces.h"

enum call_kind {
	CALL_LOOKS = 1 << 0, /* asks about files by path, and moves nothing */
	CALL_OPENS = 1 << 1,
	CALL_CLOSES = 1 << 2,
	CALL_EMPTIES = 1 << 3, /* sets the size of a file */
	CALL_REMOVES = 1 << 4,
	CALL_RENAMES = 1 << 5,
	CALL_SEEKS = 1 << 6,
	CALL_CONNECTS = 1 << 7,
	CALL_ASKS_SOCKET = 1 << 8,
	CALL_MAKES = 1 << 9,   /* a descriptor, of another kind than a file's */
	CALL_POLLS = 1 << 10,  /* 0 is returned when time is over */
	CALL_SLEEPS = 1 << 11, /* for a time */
	CALL_FUTEX = 1 << 12,
	CALL_YIELDS = 1 << 13,
	CALL_PATIENT = 1 << 14, /* waits for others, though syscall_waits() does not say so */
};

struct call_kinds {
	uint16_t of[SYSCALL_TABLE_ABIS][CALL_TYPES_NUMBERS];
};

void call_kinds_init(struct call_kinds *k);
/* Flags of enum call_kind. */
unsigned call_kinds_of(const struct call_kinds *k, const struct syscalls_call *call);

/*
 * Whether an error is an ordinary answer of that call: there is nothing yet, it is not a terminal,
 * it exists already. ENOENT and ENOTDIR of a path are not among them; whether something is searched
 * for, a single call does not tell.
 */
bool call_error_is_answer(const struct syscall_row *row, unsigned error);
/* What no program takes lightly: no space, no descriptors, no memory, a broken device. */
bool call_error_is_grave(unsigned error);

#endif

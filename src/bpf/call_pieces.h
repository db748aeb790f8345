/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A call with its pieces, in scratch memory because it is too large for the stack of a BPF program.
 */
#pragma once

#include "probes/syscalls.h"

/*
 * Linux 6.1: the verifier does not track "from 1 to 6" through "minus one, times eight" ("R1
 * unbounded memory access"). It understands an index masked to a power of two everywhere, so the
 * array has eight slots for six arguments.
 */
#define ARGUMENT_SLOTS 8

static inline uint32_t argument_slot(uint32_t argument)
{
	return (argument - 1) & (ARGUMENT_SLOTS - 1);
}

/* A call with its pieces. Each piece begins where the longest piece still has room. */
#define PIECES_BYTES 8192
#define PIECE_BYTES  (sizeof(struct syscalls_piece) + SYSCALLS_PIECE_MAX + 1)

struct call_with_pieces {
	uint32_t at; /* offset in the pieces */
	uint32_t string_at, string_size;
	uint8_t string_argument; /* the first string, from 1; 0: none yet */
	uint8_t string_state;
	uint8_t requested_state; /* this and the next members: as in struct thread */
	uint8_t unused;
	int32_t path_bytes;
	uint32_t unused_too;
	uint64_t arguments[ARGUMENT_SLOTS];
	char path[SYSCALLS_PATH_MAX];
	char asked[SYSCALLS_REQUESTED_BYTES];
	struct syscalls_call call; /* the record begins here */
	char pieces[PIECES_BYTES];
};

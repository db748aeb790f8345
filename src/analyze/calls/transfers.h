/* SPDX-License-Identifier: BSD-2-Clause */
/* Which calls move bytes between a descriptor and the process, or between two descriptors. */
#ifndef SOOTH_ANALYZE_TRANSFERS_H
#define SOOTH_ANALYZE_TRANSFERS_H

#include "analyze/calls/call_pieces.h"

enum transfer_direction { TRANSFER_NONE, TRANSFER_READS, TRANSFER_WRITES, TRANSFER_COPIES };

/* The descriptors it reads from and writes to, by argument. */
struct transfer {
	uint8_t direction; /* enum transfer_direction */
	uint8_t from, to;
	uint8_t size;	/* the argument that says how much is asked for; 0: none does */
	uint8_t offset; /* the argument that says where in the file; 0: where it stands */
	uint8_t flags;	/* the argument that has the flags of a message; 0: none has */
};

struct transfers {
	struct transfer of[SYSCALL_TABLE_ABIS][CALL_TYPES_NUMBERS];
};

void transfers_init(struct transfers *t);
/* Of any call; direction is TRANSFER_NONE when it moves nothing. */
struct transfer transfer_of(const struct transfers *t, const struct syscalls_call *call);
/* How many it moved: none when it failed, nor when it only looked at what the next one will read.
 */
uint64_t transfer_bytes(const struct transfer *t, const struct syscalls_call *call);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The members of an event, whether it is MessagePack or a line of JSON. */
#pragma once

#include "base/cursor.h"
#include "import/memtrack_event.h"

/* Members that an event must have. */
enum {
	MEMTRACK_HAS_PID = 1,
	MEMTRACK_HAS_TIME = 2,
	MEMTRACK_HAS_ADDRESS = 4,
	MEMTRACK_HAS_TYPE = 8,
};
#define MEMTRACK_HAS_ALL                                                                           \
	(MEMTRACK_HAS_PID | MEMTRACK_HAS_TIME | MEMTRACK_HAS_ADDRESS | MEMTRACK_HAS_TYPE)

uint8_t memtrack_type_of(struct span name);
/* Returns the bit of a member that an event must have, and stores its number; 0: another member. */
unsigned memtrack_set_number(struct memtrack_event *e, struct span key, uint64_t number);

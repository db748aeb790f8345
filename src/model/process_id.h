/* SPDX-License-Identifier: BSD-2-Clause */
/* The name of a process (see <sooth/record.h>) as a key. */
#ifndef SOOTH_MODEL_PROCESS_ID_H
#define SOOTH_MODEL_PROCESS_ID_H

#include <sooth/record.h>

struct process_id {
	uint64_t start_ticks;
	uint64_t pid; /* 64 bits so that the key has no padding */
};

static inline struct process_id process_id_of(const struct sooth_record *r)
{
	return (struct process_id){ r->start_ticks, r->pid };
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Growth of resident memory, to compare with that of malloc: if a program grows by mmap() or in a
 * managed heap, an answer about malloc alone misleads.
 */
#pragma once

#include "base/map.h"
#include "model/batch.h"

#define HEAP_RESIDENT_LEAST (1u << 20) /* bytes of growth that count; less is noise */
/* bytes of a started program: only the largest programs have as much mapped from files */
#define HEAP_RESIDENT_STARTED (16u << 20)

struct heap_resident {
	struct map processes; /* struct process_id -> what was resident, first and last */
	uint64_t first_ns, last_ns;
	uint64_t started_bytes; /* largest size of a started program, even if it has ended */
};

struct heap_resident_growth {
	uint64_t before_bytes, bytes; /* memory of running processes: at the start, now */
	uint64_t grown_bytes; /* growth of the processes that grew, without started programs */
	uint64_t interval_ns; /* between the first and the last look */
	uint32_t pid;	      /* process that grew most; 0: unknown */
};

void heap_resident_init(struct heap_resident *h);
void heap_resident_fini(struct heap_resident *h);
void heap_resident_add_record(struct heap_resident *h, const struct sooth_record *r);
struct heap_resident_growth heap_resident_growth(const struct heap_resident *h);
/* Returns whether most of the growth is not from malloc, whose live bytes grew by at most
 * `live_bytes`. */
bool heap_resident_is_elsewhere(const struct heap_resident_growth *g, uint64_t live_bytes);

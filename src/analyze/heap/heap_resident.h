/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resident memory beside what malloc holds: of a program whose memory grows by mmap() or in a
 * managed heap, an answer about malloc alone would mislead.
 */
#ifndef SOOTH_ANALYZE_HEAP_RESIDENT_H
#define SOOTH_ANALYZE_HEAP_RESIDENT_H

#include "base/map.h"
#include "model/batch.h"

#define HEAP_RESIDENT_LEAST (1u << 20) /* bytes of growth: less comes and goes */
/* bytes of a started program: only the largest programs have as much mapped from files */
#define HEAP_RESIDENT_STARTED (16u << 20)

struct heap_resident {
	struct map processes; /* struct process_id -> what was resident, first and last */
	uint64_t started_bytes; /* of a program that was started: the most, also if it has ended */
};

struct heap_resident_growth {
	uint64_t before_bytes, bytes; /* of the processes that still run */
	uint64_t grown_bytes;	      /* by those that grew, but for started programs */
	uint32_t pid;		      /* of that which grew most; 0: none is known */
};

void heap_resident_init(struct heap_resident *h);
void heap_resident_fini(struct heap_resident *h);
void heap_resident_add_record(struct heap_resident *h, const struct sooth_record *r);
struct heap_resident_growth heap_resident_growth(const struct heap_resident *h);
/* Whether most of the growth is not from malloc, which holds so many bytes more at most. */
bool heap_resident_is_elsewhere(const struct heap_resident_growth *g, uint64_t live_bytes);

#endif

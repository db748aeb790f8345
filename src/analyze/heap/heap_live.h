/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live set of heaps: which blocks each process holds, from every call in the
 * order of the stream. Blocks and processes are bounded; what did not fit is
 * counted in `refused`, and then the figures are lower bounds.
 *
 * A block is its process's own: a forked child's copies of its parent's blocks
 * are not counted again, and freeing them is told apart (frees_inherited).
 */
#ifndef SOOTH_ANALYZE_HEAP_LIVE_H
#define SOOTH_ANALYZE_HEAP_LIVE_H

#include "base/map.h"
#include "model/process_id.h"
#include "model/stream_records.h"
#include "probes/heap.h"

#define HEAP_BLOCKS_MAX	   ((size_t)8 << 20) /* of all processes together: some 400 MB */
#define HEAP_PROCESSES_MAX 65536
#define HEAP_HANDOVERS_MAX 256

/* Where the blocks come from that a process frees, but never was seen to get. */
enum heap_origin {
	HEAP_FROM_BEFORE, /* it ran before it was observed */
	HEAP_FROM_EXEC,	  /* observed from its exec on: nowhere, a call was missed */
	HEAP_FROM_FORK,	  /* a copy of its parent's */
};

struct heap_sum {
	uint64_t events;
	uint64_t allocated_bytes; /* asked for by calls that got it */
};

struct heap_process {
	struct map blocks; /* address -> struct heap_block; empty once it left */
	uint64_t live_bytes, live_blocks;
	uint64_t peak_bytes;
	struct heap_sum seen;	 /* by single calls */
	struct heap_sum counted; /* by tallies */
	uint8_t origin;		 /* enum heap_origin */
	bool has_left;
	char name[PROCESS_NAME_SIZE]; /* empty: nobody told */
};

struct heap_block {
	uint64_t size;
	uint64_t time_ns; /* when it was given */
};

/* A block that was given to somebody while it was live: its free was missed, or a realloc that is
 * still to be told has moved out of it. */
struct heap_handover {
	struct process_id process;
	uint64_t address, size, time_ns;
};

struct heap_live {
	struct map processes; /* process_id -> struct heap_process */
	struct process_id last_id;
	struct heap_process *last; /* of last_id; records come in runs */
	size_t blocks_max;
	uint64_t blocks;     /* of all processes now */
	uint64_t bytes;	     /* of those that have not left */
	uint64_t peak_bytes; /* the most these ever were */
	uint64_t peak_ns;    /* when */
	uint64_t freed_bytes;
	uint64_t frees_unknown, frees_from_before, frees_inherited;
	uint64_t replaced_blocks, replaced_bytes; /* left because their address was given again */
	uint64_t exec_blocks, exec_bytes;	  /* left because their process replaced itself */
	uint64_t refused;
	bool is_launched;
	struct heap_handover handovers[HEAP_HANDOVERS_MAX];
	size_t handover_count; /* ever; the ring's place is its remainder */
};

void heap_live_init(struct heap_live *l, size_t blocks_max);
/* Any record of the stream; those that do not matter are passed over. */
void heap_live_take(struct heap_live *l, const struct sooth_record *r);
/* What all processes held at their end, or hold now. */
void heap_live_total(const struct heap_live *l, uint64_t *bytes, uint64_t *blocks);
void heap_live_fini(struct heap_live *l);

/* Memory was asked for, and none came. */
bool heap_call_failed(const struct heap_call *c);

#endif

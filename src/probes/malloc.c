/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the malloc probe. */
#include "probes/malloc.h"

#include "model/probe.h"
#include "model/schema.h"

#define VALUE(member_, help_, ...)                                                                 \
	FIELD_NUMBER(malloc_heap, member_, help_, __VA_ARGS__ FIELD_STATE_AT(malloc_heap, state))
#define BYTES .unit = SOOTH_UNIT_BYTES,

static const struct sooth_field heap_fields[] = {
	FIELD_PID(malloc_heap),
	VALUE(resident_bytes, "resident memory of the allocator's heaps that was read", BYTES),
	VALUE(live_resident_bytes,
		"resident part of blocks that the program has not freed, with their headers",
		BYTES),
	VALUE(live_bytes, "size of blocks that the program has not freed, resident or not", BYTES),
	VALUE(live_blocks, "number of blocks that the program has not freed"),
	VALUE(free_page_bytes, "resident pages of the heaps without any such block", BYTES),
	VALUE(arena_bytes, "resident in other arenas than the first", BYTES),
	VALUE(unread_bytes, "resident in parts of the heaps that were not read", BYTES),
	VALUE(read_ns, "time that reading the heaps took", .unit = SOOTH_UNIT_NS, ),
	VALUE(arenas, "number of arenas"),
	FIELD_TRUTH(malloc_heap, is_upper_bound, "small freed blocks may count as live"),
	FIELD_WITH(TEXT, malloc_heap, reason, reason_state, "why nothing, or not all, was read"),
};

RECORD_SCHEMA(malloc_heap, 112, "malloc.heap", MALLOC_HEAP, SAMPLE, heap_fields);

static const struct sooth_schema *const schemas[] = { &malloc_heap_schema, NULL };

const struct probe probe_malloc = {
	.name = "malloc",
	.help = "heaps of the allocator: resident memory, and how much of it is in live blocks",
	.offers = INTEREST_SAMPLE | INTEREST_BRIEF | INTEREST_EDGES,
	.schemas = schemas,
};

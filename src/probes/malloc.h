/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malloc: what the allocator of a process has from the kernel, and how much of it is in blocks that
 * the program has not freed. Nothing is attached: the values come from the allocator's own data in
 * the memory of the process, which runs on while it is read.
 */
#pragma once

#include <sooth/record.h>

enum malloc_kind {
	MALLOC_HEAP = 0x1400, /* once a process and snapshot, also if nothing could be read */
};

/* The heaps of glibc's arenas. Blocks with a mapping of their own (large ones) are not in it. */
struct malloc_heap {
	struct sooth_record record;
	uint64_t resident_bytes; /* resident part of what was read */
	uint64_t
		live_resident_bytes; /* of these in blocks that are not freed, with their headers */
	uint64_t live_bytes;	     /* all of these blocks, resident or not */
	uint64_t live_blocks;
	uint64_t free_page_bytes; /* resident pages without any such block */
	uint64_t arena_bytes;	  /* resident in other arenas than the first */
	uint64_t unread_bytes;	  /* resident in heaps, or parts of them, that were not read */
	uint64_t read_ns;	  /* time that reading took */
	uint32_t arenas;
	uint8_t state;		/* state of all of these */
	uint8_t reason_state;	/* absent: all was read */
	uint8_t is_upper_bound; /* small freed blocks may count as live */
	uint8_t unused;
	struct sooth_text reason; /* why nothing, or not all, was read */
};

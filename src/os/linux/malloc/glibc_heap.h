/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heaps of glibc's malloc in another process, chunk by chunk: which blocks are live, and which
 * pages hold none. Neither symbols nor debug information are needed. The first arena is recognized
 * in the library's data by its empty bins, which point at themselves; each arena has the address of
 * the next. A walk over the chunks of a heap is right if it ends at the chunk that glibc calls its
 * top.
 *
 * The process runs on and may lie: every value is checked, a walk that does not end where it should
 * is made again, and then cut. Pages that are not in memory are never touched.
 *
 * Freed blocks that wait in a fast bin or in a thread's cache are marked as in use. Since glibc
 * 2.32 their first word shows that they are free: it is the address of the next one, mixed with its
 * own. A live block has such a word by chance once in some thousands, or if it was allocated again
 * and never written to.
 *
 * Not seen: blocks with a mapping of their own; a first arena that is not in [heap]; arenas whose
 * heaps are not 64 MiB (tunable glibc.malloc.hugetlb); 32-bit processes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define GLIBC_DATA_MAX	    8
#define GLIBC_REGIONS_MAX   2048
#define GLIBC_PIECE_BYTES   (256u << 10)
#define GLIBC_WINDOW_BYTES  (32u << 10)
#define GLIBC_HEAP_BYTES    (64ull << 20) /* size and alignment of a heap of a further arena */
#define GLIBC_SCRATCH_BYTES (GLIBC_PIECE_BYTES + GLIBC_WINDOW_BYTES)

struct glibc_range {
	uint64_t from, to;
};

enum glibc_result {
	GLIBC_READ,
	GLIBC_REFUSED,	 /* pages of the process may not be read */
	GLIBC_NO_ARENA,	 /* no malloc of glibc was recognized */
	GLIBC_UNUSED,	 /* it has never allocated */
	GLIBC_ELSEWHERE, /* its heap is not in [heap] */
	GLIBC_CUT,	 /* the bound was reached */
	GLIBC_SWAPPED,	 /* a part is swapped out */
	GLIBC_CHANGED,	 /* a part changed while it was read */
};

struct glibc_region {
	uint64_t from, to;
	uint64_t top;	/* address of its last chunk, which is free; 0: it ends with none */
	uint64_t arena; /* address of the arena; 0: the first */
};

struct glibc_sums {
	uint64_t resident, live_resident, free_pages; /* bytes */
	uint64_t live, blocks;
	uint64_t arena_resident, unread;
};

struct glibc_heap {
	/* Set by the caller. */
	pid_t pid;
	int process;				 /* open folder in /proc */
	struct glibc_range data[GLIBC_DATA_MAX]; /* writable data of the C library, or of a static
						    program */
	size_t data_count;
	struct glibc_range brk; /* [heap] */
	bool is_mangled;	/* glibc 2.32 or later */
	uint64_t bytes_most;	/* bound for the bytes to read */
	uint64_t page_bytes;
	unsigned char *scratch;	      /* GLIBC_SCRATCH_BYTES */
	struct glibc_region *regions; /* GLIBC_REGIONS_MAX */
	/* Results. */
	enum glibc_result result; /* of the first part that was not read */
	struct glibc_sums sums;
	uint32_t arenas;
	size_t region_count;
};

/* Reads the heaps. Allocates nothing and takes no lock: for the child of a timeout_call(). */
void do_read_glibc_heap(struct glibc_heap *h);

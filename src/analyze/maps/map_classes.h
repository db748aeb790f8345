/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The purpose of each mapping of a process. A class needs evidence in the snapshot; without it a
 * mapping is `other`:
 *
 * file            a file that is none of the shared kinds
 * deleted-file    the same, but its file was replaced or removed
 * shared          shared memory without a live file: anonymous, memfd, SysV; /dev/shm
 * kernel          named by the kernel: [vdso], [vvar], [vsyscall], ...
 * thread-stack    [stack]; private memory that contains a thread's stack pointer, with a guard page
 *                 below; guarded memory as large as such a stack; and the guards
 * glibc-heap      [heap] of a process with glibc and no other allocator
 * glibc-arena     with glibc: begins at a multiple of 64 MiB and is followed by an inaccessible
 *                 mapping up to the next multiple; and that mapping
 * mimalloc        with mimalloc: not reserved, where it requests memory (2 to 30 TiB)
 * jemalloc        with jemalloc and no other runtime that maps this way: not reserved, writable
 * tcmalloc        [heap] of a process with tcmalloc
 * javascriptcore  with JavaScriptCore: not reserved, some 4 GiB at a multiple of 4 GiB
 * v8              with V8: not reserved and not in forks, as V8 requests all its memory
 * go              with Go: from 0xc000000000, where Go places its heap
 * jit             private, executable and without a file: code made at run time
 * brk             [heap] of a process with an unknown allocator
 * malloc-zone     of macOS, whose malloc gives its memory a tag for each kind of zone
 * reservation     inaccessible, without a file, empty, and of no other class
 */
#pragma once

#include "analyze/snapshots.h"
#include "model/field.h"
#include "probes/maps.h"

enum map_class {
	MAP_OTHER,
	MAP_FILE,
	MAP_DELETED_FILE,
	MAP_SHARED,
	MAP_KERNEL,
	MAP_THREAD_STACK,
	MAP_GLIBC_HEAP,
	MAP_GLIBC_ARENA,
	MAP_MIMALLOC,
	MAP_JEMALLOC,
	MAP_TCMALLOC,
	MAP_JAVASCRIPTCORE,
	MAP_V8,
	MAP_GO,
	MAP_JIT,
	MAP_BRK,
	MAP_RESERVATION,
	MAP_MALLOC_ZONE,
	MAP_CLASSES,
};

extern const struct sooth_names map_class_names;
extern const char *const map_class_texts[MAP_CLASSES]; /* "the Go heap" */

/* Facts about one snapshot; only the arrays are owned. */
struct map_facts {
	const struct maps_mapping **mappings; /* mappings, sorted by address */
	size_t count;
	uint64_t *stacks; /* addresses, ascending */
	size_t stack_count;
	uint32_t runtimes; /* bit: enum maps_runtime */
};

/* Gathers the mappings of the last snapshot of a process. Call map_facts_fini() in any case.
 * Returns 0, or -ENOMEM. */
int map_facts_gather(struct map_facts *facts, const struct snapshot *snapshot);
void map_facts_fini(struct map_facts *facts);
/* Sets the class of each mapping; `classes` has room for facts->count. */
void map_classify(const struct map_facts *facts, uint8_t *classes);
/*
 * Address space without a file and without resident or swapped pages; needs the mapping's values.
 */
uint64_t map_reserved_bytes(const struct maps_mapping *m);

struct map_total {
	uint64_t mappings;
	uint64_t size_bytes;
	/* Sums over the mappings that have values. */
	uint64_t reserved_bytes, rss_bytes, pss_bytes, dirty_bytes, swap_bytes;
	uint8_t figures_state; /* truncated: some mappings have no values */
};

/* Fills in the total of each class; 0 for a class without mappings. Returns 0, or -ENOMEM. */
int map_totals(const struct snapshot *snapshot, struct map_total totals[MAP_CLASSES]);

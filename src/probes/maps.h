/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * maps: the mappings of a process, how much of each is resident, and the facts
 * that show the purpose of each. MAPS_PROCESS ends the records of one snapshot.
 * Resident sizes of single mappings are read only with detail.
 */
#pragma once

#include <sooth/field.h>
#include <sooth/record.h>

enum maps_kind {
	MAPS_MAPPING = 0x0700,
	MAPS_STACK = 0x0701,	    /* address of a thread's stack pointer or thread area */
	MAPS_RUNTIME = 0x0702,	    /* an allocator or language runtime that the process has */
	MAPS_PROCESS = 0x0703,	    /* ends the records of one snapshot */
	MAPS_MANAGED_HEAP = 0x0704, /* what a JVM says about its heap; comes before MAPS_PROCESS */
};

enum maps_protection {
	MAPS_READ = 1,
	MAPS_WRITE = 2,
	MAPS_EXECUTE = 4,
	MAPS_SHARED = 8,
};

/* How the process requested the mapping: allocators differ in these flags. */
enum maps_flag {
	MAPS_NO_RESERVE = 1,
	MAPS_NOT_IN_FORKS = 2,
	MAPS_ZEROED_IN_FORKS = 4,
	MAPS_HUGE_SELECTED = 8,
	MAPS_HUGE_UNWANTED = 16,
	MAPS_LOCKED = 32,
	MAPS_NOT_IN_DUMPS = 64,
	MAPS_GROWS_DOWN = 128,
};

struct maps_mapping {
	struct sooth_record record;
	uint64_t from, to;
	uint64_t offset; /* offset in the file */
	uint64_t inode;	 /* 0: no file */
	uint64_t rss_bytes;
	uint64_t pss_bytes; /* shared pages divided by the number of processes that share them */
	uint64_t shared_clean_bytes, shared_dirty_bytes;
	uint64_t private_clean_bytes, private_dirty_bytes;
	uint64_t anonymous_bytes; /* resident memory that belongs to no file */
	uint64_t huge_bytes;	  /* bytes in huge pages */
	uint64_t locked_bytes;
	uint64_t swap_bytes;
	uint32_t device_major, device_minor;
	uint32_t page_bytes;	/* page size of the mapping; 0: unknown */
	uint8_t protection;	/* enum maps_protection */
	uint8_t is_deleted;	/* the file has no name any more */
	uint8_t figures_state;	/* state of all _bytes but page_bytes; not requested without detail
				 */
	uint8_t path_state;	/* absent: it has no name */
	struct sooth_text path; /* of the file, without " (deleted)", or "[heap]", "[anon:x]" */
	uint8_t flags;		/* enum maps_flag */
	uint8_t flags_state;	/* not requested without detail */
	uint8_t unused[6];
};

enum maps_runtime {
	MAPS_GLIBC,
	MAPS_MUSL,
	MAPS_MIMALLOC,
	MAPS_JEMALLOC,
	MAPS_TCMALLOC,
	MAPS_JAVASCRIPTCORE,
	MAPS_V8,
	MAPS_GO,
	MAPS_RUST,
	MAPS_PYTHON,
	MAPS_JAVA,
	MAPS_RUNTIMES,
};

struct maps_stack {
	struct sooth_record record; /* tid is set */
	uint64_t address;
	uint8_t is_thread_area; /* used where the stack pointer is not readable */
	uint8_t unused[7];
};

struct maps_runtime_found {
	struct sooth_record record;
	uint32_t runtime; /* enum maps_runtime */
	uint32_t unused;
	struct sooth_text
		why; /* "the executable exports mi_malloc", "libjemalloc.so.2 is mapped" */
};

/* Values of the counters that HotSpot shares: sizes as of its last collection, counts since its
 * start. */
struct maps_managed_heap {
	struct sooth_record record;
	uint64_t old_bytes; /* used in the old generation */
	uint64_t old_capacity_bytes;
	uint64_t collections;	   /* collections of the young generation */
	uint64_t full_collections; /* full collections of both generations, or of the old one */
};

/* The kernel's sums for the whole address space. */
struct maps_process {
	struct sooth_record record;
	uint64_t vsz_bytes, vsz_peak_bytes;
	uint64_t rss_bytes, rss_peak_bytes;
	uint64_t rss_anonymous_bytes, rss_file_bytes, rss_shared_bytes; /* shared: shmem, tmpfs */
	uint64_t swap_bytes;
	uint64_t locked_bytes;
	uint32_t mappings;	/* number of records */
	uint32_t mappings_max;	/* vm.max_map_count */
	uint8_t mappings_state; /* truncated: there are more; else why none could be read */
	uint8_t status_state;	/* state of the _bytes */
	uint8_t figures_state;	/* state of the mappings: not requested without detail */
	uint8_t max_state;
	uint8_t unused[4];
};

extern const struct sooth_names maps_protection_names; /* by the bits of enum maps_protection */
extern const struct sooth_names maps_runtime_names;    /* names by enum maps_runtime */

_Static_assert(sizeof(struct maps_mapping) == 176 && sizeof(struct maps_stack) == 48 &&
		       sizeof(struct maps_runtime_found) == 48 &&
		       sizeof(struct maps_managed_heap) == 64 && sizeof(struct maps_process) == 120,
	"the layouts are part of the capture format");

/* SPDX-License-Identifier: BSD-2-Clause */
/* Defines the sites found in the files of a process as events, and attaches the events to its
 * threads. All functions are called with the lock of struct heap_attach held. */
#pragma once

#include "os/linux/heap/heap_attach.h"

#define FILES_MAX  256	/* with new allocators, per pass */
#define PLACES_MAX 1024 /* per event */

struct place_list {
	struct prober_place places[PLACES_MAX];
	size_t count;
};

/* Sites found in one pass: the places for each new event. */
struct finding_sites {
	struct heap_attach *attach;
	bool is_late; /* the sites count only in processes that loaded the file late */
	const struct process_id *process;
	uint64_t since_ns;
	struct place_list returns, return_links;
	struct place_list entries[HEAP_TABLES];
	int files[FILES_MAX];
	size_t file_count;
	struct buffer paths; /* paths of the files, each ended by a NUL */
	struct allocator_site moved;
};

/* Adds the sites of a file, as an allocator_handler: keeps the file open until its places are
 * defined. */
int heap_sites_add_file(void *user, const struct allocator_file *file, struct sooth_error *err);
/* Defines events for all sites that were added. */
int heap_sites_define(struct finding_sites *f, struct sooth_error *err);
/* Defines events only for sooth's own functions; no other process gets these events. */
int heap_sites_define_overhead_probes(struct heap_attach *a, struct sooth_error *err);
/* Opens events at returns: from now on, processes other than the one with return links have them.
 */
int heap_sites_open_returns(struct heap_attach *a, struct sooth_error *err);
void heap_sites_fini(struct finding_sites *f);

struct covering {
	unsigned first, end; /* range of events; only late ones of them, or only others */
	bool is_late;
	uint32_t pid;	   /* 0: all followed processes that may be probed */
	bool only_returns; /* the process has inherited the other events */
};

/* Attaches events to the followed threads of processes. Returns 1 if any thread was not attached
 * before. */
int heap_sites_cover(struct heap_attach *a, const struct covering *c, struct sooth_error *err);
bool heap_sites_is_late(const struct heap_attach *a, unsigned event);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sites that were found in files of a process, defined as events and attached to its threads. All
 * is called with the lock of struct heap_attach held.
 */
#ifndef SOOTH_OS_LINUX_HEAP_SITES_H
#define SOOTH_OS_LINUX_HEAP_SITES_H

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
	bool is_late; /* they count only in processes that loaded the file late */
	const struct process_id *process;
	uint64_t since_ns;
	struct place_list returns, return_links;
	struct place_list entries[HEAP_TABLES];
	int files[FILES_MAX];
	size_t file_count;
	struct buffer paths; /* of the files, each with its NUL */
	struct allocator_site moved;
};

/* An allocator_handler: keeps the file open until its places are defined. */
int heap_sites_add_file(void *user, const struct allocator_file *file, struct sooth_error *err);
/* Makes events of all that was taken. */
int heap_sites_define(struct finding_sites *f, struct sooth_error *err);
/* Events of sooth's own functions alone, which no other process gets. */
int heap_sites_define_overhead_probes(struct heap_attach *a, struct sooth_error *err);
/* From now on other processes than that with return links have events at returns. */
int heap_sites_open_returns(struct heap_attach *a, struct sooth_error *err);
void heap_sites_fini(struct finding_sites *f);

struct covering {
	unsigned first, end; /* events; of these only late ones, or no late one */
	bool is_late;
	uint32_t pid;	   /* 0: all followed processes that may be probed */
	bool only_returns; /* it has inherited the rest */
};

/* Attaches events to the followed threads of processes. 1 if any of them was not attached before.
 */
int heap_sites_cover(struct heap_attach *a, const struct covering *c, struct sooth_error *err);
bool heap_sites_is_late(const struct heap_attach *a, unsigned event);

#endif

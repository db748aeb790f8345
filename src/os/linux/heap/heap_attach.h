/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes on the allocators of a tree of processes: found in what the processes have
 * mapped, defined file by file as they turn up, attached to every followed thread.
 * Returns are attached before entries, or a call entered in between would never
 * return for us.
 */
#ifndef SOOTH_OS_LINUX_HEAP_ATTACH_H
#define SOOTH_OS_LINUX_HEAP_ATTACH_H

#include "bpf/heap.h"
#include "core/backend.h"
#include "os/linux/heap/allocators.h"
#include "os/linux/bpf/follow.h"
#include "os/linux/uprobes/prober.h"

/* Used by two threads, the collector's and the holder's: each function locks. */
struct heap_attach {
	pthread_mutex_t lock;
	struct follow *follow;
	struct heap_places *places;
	struct allocators allocators;
	const struct prober_type *type;
	void *prober;
	unsigned events;	/* defined so far */
	char operator_new[256]; /* the first allocator that has one of its own; empty: none */
	uint32_t sites;
	uint32_t left_out; /* functions for which there was no room */
	uint64_t attach_ns;
	struct buffer told; /* records, for whoever drains next */
};

int heap_attach_open(struct heap_attach *a, const struct prober_type *type, struct follow *follow,
	struct heap_places *places, const struct log *log, struct sooth_error *err);
/*
 * Look at a process; 1: something that it has mapped defines an allocator, 0: nothing does. What it
 * has mapped and was not known is probed in all followed threads. since_ns: since when it may have
 * run unseen code of these files, told as a gap; 0: it stands, or did not run any yet.
 */
int heap_attach_look(struct heap_attach *a, const struct process_id *process, uint64_t since_ns,
	struct sooth_error *err);
/* It ended before it could be looked at, and may have had an allocator of its own. */
void heap_attach_gone(struct heap_attach *a, const struct process_id *process, uint64_t since_ns);
/* Whether a program was looked at before, or is seen now to define no allocator: its process may
 * have ended. Its libraries may be new all the same. */
bool heap_attach_knows(struct heap_attach *a, const char *path, uint64_t device, uint64_t inode);
/* A process that was not followed before: what is defined already is attached to its threads.
 * since_ns: as above. */
int heap_attach_process(struct heap_attach *a, const struct process_id *process, uint64_t since_ns,
	struct sooth_error *err);
/* A child that was forked, and one that has ended (is_over), as the prober wants to know. */
int heap_attach_child(struct heap_attach *a, const struct process_id *process, bool is_over,
	struct sooth_error *err);
/* A record for whoever drains next. */
void heap_attach_emit(struct heap_attach *a, struct sooth_record *record, size_t size);
void heap_attach_reported(struct heap_attach *a, struct buffer *out);
size_t heap_attach_descriptors(const struct heap_attach *a);
/* Take everything away; tells the cost. */
void heap_attach_close(struct heap_attach *a, uint64_t *forgotten_ns);

#endif

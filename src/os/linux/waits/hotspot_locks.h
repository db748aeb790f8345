/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which thread of a Java virtual machine waits for a lock that another of its threads has: monitors
 * (`synchronized`), by what HotSpot keeps of each; locks of java.util.concurrent, by the object
 * that a parked thread names and the thread that this one names as its owner. Which one waits for
 * a task (FutureTask) that names no thread: none has begun it. And which one waits for what any other
 * thread may end: a latch, a semaphore, a CompletableFuture.
 *
 * The process runs on meanwhile and its collector moves objects: one answer may be wrong, the same
 * one of two samples is not. Cannot be seen: owners of read locks, which have none; virtual threads; locks of java.util.concurrent where the heap has colored pointers
 * (ZGC) or compact object headers.
 */
#ifndef SOOTH_OS_LINUX_WAITS_HOTSPOT_LOCKS_H
#define SOOTH_OS_LINUX_WAITS_HOTSPOT_LOCKS_H

#include "os/linux/waits/wait_reader.h"

#define HOTSPOT_EDGES	   256
#define HOTSPOT_CLASS_SIZE 96

struct hotspot_edge {
	uint32_t waiter, owner;		/* tids; only monitors and locks have an owner */
	enum waits_lock lock;		/* WAITS_LOCK_JAVA_*, but _IDLE */
	char class[HOTSPOT_CLASS_SIZE]; /* of the object; "": unknown */
};

struct hotspot_locks {
	bool is_read; /* else the edges are not known */
	unsigned count;
	struct hotspot_edge edges[HOTSPOT_EDGES];
};

/* The locks of the node, which is read at most once. NULL: no Java virtual machine, or it could not
 * be read. */
const struct hotspot_locks *hotspot_locks_of(struct wait_reader *r, struct wait_node *n);

#endif

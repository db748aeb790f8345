/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pausing a command, and the programs that it starts, while they load: each allocator is probed
 * before its first call.
 */
#ifndef SOOTH_OS_LINUX_HEAP_PAUSER_H
#define SOOTH_OS_LINUX_HEAP_PAUSER_H

#include "os/linux/heap/heap_source.h"

/* A program has begun (HEAP_BEGUN), or loaded libraries (HEAP_LOADED); in the pauser's thread. */
typedef void heap_pauser_take(struct heap_state *s, const struct sooth_record *r);
/* Examines the libraries that were loaded. They may have run unseen since `since_ns`; 0: they have
 * not. */
typedef void heap_pauser_examine(void *user, const struct sooth_record *loaded, uint64_t since_ns);

/* `command` is launched and waits for its exec; it is seized when this returns, unless it is
 * observed elsewhere. */
int heap_pauser_start(struct heap_state *s, const struct process_id *command, bool is_elsewhere,
	heap_pauser_take *take, struct sooth_error *err);
/* A program has started. Returns whether this is the first exec of the command, which is watched
 * from the beginning. */
bool heap_pauser_began(struct heap_pauser *p, const struct process_id *process);
/*
 * A program has started in a process at exec_ns. True: it is handled here. A file that was not seen
 * before is stopped as soon as possible, and watched while it loads; the time until then is a gap.
 * False: the caller has to examine it.
 */
bool heap_pauser_handles(struct heap_pauser *p, const struct process_id *process, uint64_t exec_ns);
/* Libraries were loaded by a thread, which is paused while they are examined. In the pauser's
 * thread. */
void heap_pauser_loaded(struct heap_pauser *p, const struct heap_loaded *loaded,
	heap_pauser_examine *examine, void *user);
/* Whether a program is being watched at the moment: libraries it loads are seen as they come. */
bool heap_pauser_is_loading(struct heap_pauser *p, const struct process_id *process);
/* Whether the command was watched, and nothing it had mapped defines an allocator. */
bool heap_pauser_has_no_allocator(const struct heap_pauser *p);
/* Releases everything, and ends the thread. True, with `refusal` filled, if the loading could not
 * be watched. Takes NULL. */
bool heap_pauser_stop(struct heap_pauser *p, struct sooth_error *refusal);

#endif

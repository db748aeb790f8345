/* SPDX-License-Identifier: BSD-2-Clause */
/* Pauses a command, and the programs that it starts, while they load, so that each allocator is
 * probed before its first call. */
#pragma once

#include "os/linux/heap/heap_source.h"

/* Handles the record of a program that has begun (HEAP_BEGUN) or loaded libraries (HEAP_LOADED).
 * Called in the pauser's thread. */
typedef void heap_pauser_take(struct heap_state *s, const struct sooth_record *r);
/* Examines the libraries that were loaded. Their code may have run unseen since `since_ns`; 0: it
 * has not run. */
typedef void heap_pauser_examine(void *user, const struct sooth_record *loaded, uint64_t since_ns);

/* Starts the pauser. `command` is launched and waits for its exec. It is seized when this function
 * returns, unless another engine observes it. */
int heap_pauser_start(struct heap_state *s, const struct process_id *command, bool is_elsewhere,
	heap_pauser_take *take, struct sooth_error *err);
/* Notes that a program has started. Returns whether this is the first exec of the command, which is
 * watched from the beginning. */
bool heap_pauser_began(struct heap_pauser *p, const struct process_id *process);
/* A program has started in a process at `exec_ns`. True: the pauser handles it: a program whose
 * file is new is stopped as soon as possible and watched while it loads; the time until the stop is
 * a gap. False: the caller has to examine the process. */
bool heap_pauser_handles(struct heap_pauser *p, const struct process_id *process, uint64_t exec_ns);
/* Pauses a thread that loaded libraries while they are examined. Called in the pauser's thread. */
void heap_pauser_loaded(struct heap_pauser *p, const struct heap_loaded *loaded,
	heap_pauser_examine *examine, void *user);
/* Returns whether a program is being watched while it loads: then its libraries are seen as they
 * are mapped. */
bool heap_pauser_is_loading(struct heap_pauser *p, const struct process_id *process);
/* Returns whether the command was watched, and no file that it mapped defines an allocator. */
bool heap_pauser_has_no_allocator(const struct heap_pauser *p);
/* Releases everything, and ends the thread. True: the loading could not be watched, and `refusal`
 * says why. Takes NULL. */
bool heap_pauser_stop(struct heap_pauser *p, struct sooth_error *refusal);

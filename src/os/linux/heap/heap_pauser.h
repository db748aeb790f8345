/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a ring_pauser does beside holding for the heap: it watches the programs of a
 * launched command while they are loaded, so that allocators are probed before they run.
 */
#ifndef SOOTH_OS_LINUX_HEAP_PAUSER_H
#define SOOTH_OS_LINUX_HEAP_PAUSER_H

#include "base/error.h"
#include "os/linux/heap/heap_attach.h"

struct heap_pauser;

/* `command` is launched and waits for its exec; it is seized when this returns. */
int heap_pauser_start(struct heap_pauser **out, struct heap_attach *attach,
	const struct process_id *command, struct sooth_error *err);
/*
 * A program has begun in a process at exec_ns. True: it is taken care of. The command's own
 * first exec is; a file that was not seen before is stopped as soon as it can be, and watched
 * while it loads; what it did until then is a gap. False: look for yourself.
 */
bool heap_pauser_takes(struct heap_pauser *h, const struct process_id *process, uint64_t exec_ns);
/* Whether a program is being watched just now: libraries that come are seen as they come. */
bool heap_pauser_is_loading(struct heap_pauser *h, const struct process_id *process);
/* Whether the command was watched, and nothing it had mapped defines an allocator. */
bool heap_pauser_is_blind(const struct heap_pauser *h);
/* Lets everything go, and ends the thread. Why the loading could not be watched, if it could not:
 * refusal filled and true. Takes NULL. */
bool heap_pauser_stop(struct heap_pauser *h, struct sooth_error *refusal);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a ring_holder does beside holding for the heap: it watches the programs of a
 * launched command while they are loaded, so that allocators are probed before they run.
 */
#ifndef SOOTH_OS_LINUX_HEAP_HOLDER_H
#define SOOTH_OS_LINUX_HEAP_HOLDER_H

#include "base/error.h"
#include "os/linux/heap/heap_attach.h"

struct heap_holder;

/* `command` is launched and waits for its exec; it is seized when this returns. */
int heap_holder_start(struct heap_holder **out, struct heap_attach *attach,
	const struct process_id *command, struct sooth_error *err);
/*
 * A program has begun in a process at exec_ns. True: it is taken care of. The command's own
 * first exec is; a file that was not seen before is stopped as soon as it can be, and watched
 * while it loads; what it did until then is a gap. False: look for yourself.
 */
bool heap_holder_takes(struct heap_holder *h, const struct process_id *process, uint64_t exec_ns);
/* Whether a program is being watched just now: libraries that come are seen as they come. */
bool heap_holder_is_loading(struct heap_holder *h, const struct process_id *process);
/* Whether the command was watched, and nothing it had mapped defines an allocator. */
bool heap_holder_is_blind(const struct heap_holder *h);
/* Lets everything go, and ends the thread. Why the loading could not be watched, if it could not:
 * refusal filled and true. Takes NULL. */
bool heap_holder_stop(struct heap_holder *h, struct sooth_error *refusal);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many small calls that may never return, for the cost of one (see timeout.h): they run one after
 * the other, and the one that does not return is known, so the rest can be done without it.
 */
#ifndef SOOTH_OS_LINUX_TIMED_BATCH_H
#define SOOTH_OS_LINUX_TIMED_BATCH_H

#include <stddef.h>

#include "os/linux/files/timeout.h"

struct timed_batch;

/* Processes an item, using the descriptor that is kept. */
typedef void (*timed_work)(void *item, int kept);

/*
 * `count` zeroed items of a size; `fini` releases what an item owns. NULL: out of memory. The
 * items belong to the batch, which the working thread may keep after it was freed here.
 */
struct timed_batch *timed_batch_new(
	size_t count, size_t size, timed_work work, void (*fini)(void *item));
void *timed_batch_item(struct timed_batch *b, size_t i);
/*
 * Only once. Returns how many items, from the first, are done. When that is not all, the next one
 * did not return, and must not be read; *status is -ETIMEDOUT then, or the reason why none was
 * tried.
 */
size_t timed_batch_run(
	struct timed_batch *b, struct timeout *p, int kept, int timeout_ms, int *status);
/* The same in two steps; see timeout_begin(). */
int timed_batch_begin(struct timed_batch *b, struct timeout *p, int kept);
size_t timed_batch_end(struct timed_batch *b, struct timeout *p, int timeout_ms, int *status);
void timed_batch_free(struct timed_batch *b);

#endif

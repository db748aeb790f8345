/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many small calls that may never return, for the price of one (see timeout.h): they are
 * done one after the other, and the one that does not return is known, so that the rest
 * can be done without it.
 */
#ifndef SOOTH_OS_LINUX_TIMED_BATCH_H
#define SOOTH_OS_LINUX_TIMED_BATCH_H

#include <stddef.h>

#include "os/linux/files/timeout.h"

struct timed_batch;

/* Works on an item, by the descriptor that is kept. */
typedef void (*timed_work)(void *item, int kept);

/*
 * `count` zeroed items of a size; `fini` lets go of what an item holds. NULL: no memory.
 * The items belong to the batch, which the work may have to itself after it was freed.
 */
struct timed_batch *timed_batch_new(
	size_t count, size_t size, timed_work work, void (*fini)(void *item));
void *timed_batch_item(struct timed_batch *b, size_t i);
/*
 * Once. Returns how many items, from the first, are done. When that is not all, the next
 * one did not return, and may not be looked at; *status says so (-ETIMEDOUT), or why none
 * was tried.
 */
size_t timed_batch_run(
	struct timed_batch *b, struct timeout *p, int kept, int timeout_ms, int *status);
/* The same in two steps; see timeout_begin(). */
int timed_batch_begin(struct timed_batch *b, struct timeout *p, int kept);
size_t timed_batch_end(struct timed_batch *b, struct timeout *p, int timeout_ms, int *status);
void timed_batch_free(struct timed_batch *b);

#endif

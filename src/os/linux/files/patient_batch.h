/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many small calls that may never return, for the price of one (see patience.h): they are
 * done one after the other, and the one that does not return is known, so that the rest
 * can be done without it.
 */
#ifndef SOOTH_OS_LINUX_PATIENT_BATCH_H
#define SOOTH_OS_LINUX_PATIENT_BATCH_H

#include <stddef.h>

#include "os/linux/files/patience.h"

struct patient_batch;

/* Works on an item, by the descriptor that is kept. */
typedef void (*patient_work)(void *item, int kept);

/*
 * `count` zeroed items of a size; `fini` lets go of what an item holds. NULL: no memory.
 * The items belong to the batch, which the work may have to itself after it was freed.
 */
struct patient_batch *patient_batch_new(
	size_t count, size_t size, patient_work work, void (*fini)(void *item));
void *patient_batch_item(struct patient_batch *b, size_t i);
/*
 * Once. Returns how many items, from the first, are done. When that is not all, the next
 * one did not return, and may not be looked at; *status says so (-ETIMEDOUT), or why none
 * was tried.
 */
size_t patient_batch_run(
	struct patient_batch *b, struct patience *p, int kept, int timeout_ms, int *status);
/* The same in two steps; see patience_begin(). */
int patient_batch_begin(struct patient_batch *b, struct patience *p, int kept);
size_t patient_batch_end(struct patient_batch *b, struct patience *p, int timeout_ms, int *status);
void patient_batch_free(struct patient_batch *b);

#endif

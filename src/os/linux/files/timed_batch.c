/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that may never return, many in one go. */
#include "os/linux/files/timed_batch.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/* Shared by its owner and, while it runs, the thread that works on it; the last of the two frees
 * it. */
struct timed_batch {
	atomic_uint users;
	atomic_size_t done;  /* items before it belong to the owner again */
	atomic_bool is_left; /* the owner no longer wants the results */
	int kept;
	size_t count, size;
	timed_work work;
	void (*fini)(void *item);
	unsigned char items[] __attribute__((aligned(16)));
};

struct timed_batch *timed_batch_new(
	size_t count, size_t size, timed_work work, void (*fini)(void *item))
{
	struct timed_batch *b = calloc(1, sizeof(*b) + count * size);

	if (!b)
		return NULL;
	atomic_init(&b->users, 1);
	b->count = count;
	b->size = size;
	b->work = work;
	b->fini = fini;
	return b;
}

void *timed_batch_item(struct timed_batch *b, size_t i)
{
	return b->items + i * b->size;
}

static void do_items(void *argument)
{
	struct timed_batch *b = *(struct timed_batch **)argument;

	for (size_t i = 0; i < b->count && !atomic_load(&b->is_left); i++) {
		b->work(timed_batch_item(b, i), b->kept);
		atomic_store(&b->done, i + 1);
	}
}

static void drop_items(void *argument)
{
	timed_batch_free(*(struct timed_batch **)argument);
}

int timed_batch_begin(struct timed_batch *b, struct timeout *p, int kept)
{
	int status;

	b->kept = kept;
	atomic_fetch_add(&b->users, 1);
	status = timeout_begin(p, do_items, drop_items, &b, sizeof(b), kept);
	if (status)
		atomic_fetch_sub(&b->users, 1);
	return status;
}

size_t timed_batch_end(struct timed_batch *b, struct timeout *p, int timeout_ms, int *status)
{
	struct timed_batch *same = b;

	*status = timeout_end(p, &same, sizeof(same), timeout_ms);
	if (!*status) {
		atomic_fetch_sub(&b->users, 1);
		return b->count;
	}
	/* Results that arrive after this are dropped. */
	atomic_store(&b->is_left, true);
	return atomic_load(&b->done);
}

size_t timed_batch_run(
	struct timed_batch *b, struct timeout *p, int kept, int timeout_ms, int *status)
{
	*status = timed_batch_begin(b, p, kept);
	return *status ? 0 : timed_batch_end(b, p, timeout_ms, status);
}

void timed_batch_free(struct timed_batch *b)
{
	if (!b || atomic_fetch_sub(&b->users, 1) != 1)
		return;
	for (size_t i = 0; b->fini && i < b->count; i++)
		b->fini(timed_batch_item(b, i));
	free(b);
}

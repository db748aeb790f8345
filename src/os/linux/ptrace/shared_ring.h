/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring of records between two processes, a producer that was forked and its parent. Its memory is
 * mapped twice in a row, so that a record never wraps.
 */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"

/* Positions, in memory of both processes. */
struct shared_ring_state {
	uint64_t produced;
	uint64_t consumed;
};

struct shared_ring {
	struct shared_ring_state *state;
	unsigned char *data;
	size_t size; /* power of two */
	int wake;    /* an eventfd: readable when the consumer should read */
};

int shared_ring_open(struct shared_ring *r, size_t size, struct sooth_error *err);
/* Puts bytes, if `spare` more bytes would find room. Wakes the consumer when a quarter of the ring
 * fills. False: there is no room. */
bool shared_ring_put(struct shared_ring *r, const void *data, size_t size, size_t spare);
void shared_ring_wake(const struct shared_ring *r);
/* Appends everything that the ring has, and clears earlier wake-ups. */
void shared_ring_read(struct shared_ring *r, struct buffer *out);
void shared_ring_close(struct shared_ring *r);

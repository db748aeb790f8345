/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Consumer of a BPF ring buffer map. libbpf's consumer makes a callback per record; this one copies
 * all available records into a batch (layout in Documentation/bpf/ringbuf.rst: one page each for
 * the consumer's and the producer's position, then the data mapped twice, so that a record never
 * wraps).
 */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

struct ring {
	unsigned long *consumer; /* written by sooth */
	const unsigned long *producer;
	const unsigned char *data;
	size_t size; /* power of two */
	size_t page;
	int wake;	  /* an epoll descriptor, readable once for each wake-up */
	uint64_t damaged; /* records with a length beyond their bytes, which are left out */
};

int ring_open(struct ring *r, int map, size_t size, struct sooth_error *err);
/* Appends the complete records; returns their size in bytes. */
size_t ring_read(struct ring *r, struct buffer *out);
/* Clears earlier wake-ups; to be called before reading. */
void ring_awake(const struct ring *r);
/* Return the number of bytes that wait, and of all bytes ever produced. From any thread. */
uint64_t ring_waiting(const struct ring *r);
uint64_t ring_produced(const struct ring *r);
/* Returns a second descriptor like `wake`, for another thread, or a negative errno. ring_forget()
 * makes it unreadable again. */
int ring_watch(int map);
void ring_forget(int wake);
void ring_close(struct ring *r);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory that a process shares (preload/layout.h), read: what stands there may have been
 * written by anything in the process, so an index is compared with what sooth itself knows, and
 * words are copied before they are looked at.
 */
#ifndef SOOTH_OS_LINUX_PRELOAD_SEGMENT_H
#define SOOTH_OS_LINUX_PRELOAD_SEGMENT_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "model/process_id.h"
#include "os/linux/heap/preload_clock.h"
#include "os/linux/heap/preload_stacks.h"
#include "preload/layout.h"

struct preload_reading {
	bool is_known;
	uint32_t tid;
	uint64_t tail;	     /* words read so far: the program cannot change it */
	uint64_t last_ticks; /* of the last record */
	uint64_t lost;	     /* that were reported */
	uint64_t begin_ns;
	uint64_t looked_ns, complete_ns; /* all records up to then were read */
};

struct preload_segment {
	unsigned char *memory;
	struct process_id process;
	preload_program program;
	struct preload_stacks *stacks; /* NULL: not requested */
	struct preload_reading slots[PRELOAD_SLOTS];
	bool is_over; /* its program has ended, or runs another one */
};

/* What the readings lack. */
struct preload_missing {
	uint64_t lost;	  /* records that found no room */
	uint64_t damaged; /* rings with something that is no record */
};

/* Makes one; *fd is for the process. NULL: failed, err is filled. */
struct preload_segment *preload_segment_new(
	const struct process_id *process, int *fd, struct sooth_error *err);
void preload_segment_free(struct preload_segment *s);
/* Appends what was written since the last time, as heap.call; true: there was something. Lowers
 * *complete_ns, the time before this, to what is complete. */
bool preload_segment_read(struct preload_segment *s, const struct preload_clock *clock,
	struct buffer *out, struct preload_missing *missing, uint64_t *complete_ns);
/* Appends the counts of a slot, as heap.count, and empties them. */
void preload_segment_count(struct preload_segment *s, unsigned slot,
	const struct preload_clock *clock, uint64_t now_ns, struct buffer *out);
/* The thread of a slot has ended, and all is read. */
void preload_segment_release(struct preload_segment *s, unsigned slot);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* A queue of JSON lines for one reader: numbered, bounded, no line longer than an atomic write to a
 * pipe. A line that finds no room is lost and counted; a record of the loss comes before the next
 * line that has room. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"

/* Default size. The calls of a starting program make 4 MiB in a tenth of a second. */
#define LINE_QUEUE_BYTES (8u << 20)
#define LINE_QUEUE_LINE	 4096 /* PIPE_BUF of Linux: such a write is atomic */

/* A zeroed struct is valid. */
struct line_queue {
	struct buffer lines;
	size_t most;	 /* most bytes of the lines; 0: LINE_QUEUE_BYTES */
	size_t begin;	 /* begin of the unwritten lines */
	uint64_t number; /* number of the last line, counting lost ones */
	uint64_t lost;	 /* lines lost since the last record of a loss */
	const char *lost_why;
	uint64_t
		retry_ns; /* the reader took nothing: line_queue_is_filling() is false until then */
};

void line_queue_fini(struct line_queue *q);
/* Starts over for a new reader, and drops the queued lines. `what`: the kinds of records that
 * follow. */
void line_queue_begin(struct line_queue *q, const char *what);
/* Queues an object of JSON, without a newline. */
void line_queue_put(struct line_queue *q, const char *line, size_t size);
/* Queues a note of records lost before the queue; `records` 0: no records come, because of
 * `reason`. `pid` 0: the note is not about one process. */
void line_queue_put_loss(struct line_queue *q, uint64_t records, uint32_t pid, const char *reason,
	size_t reason_size);
/* Returns whether the queue is half full: then write its lines before adding more. */
bool line_queue_is_filling(const struct line_queue *q);
/* Writes whole lines. Waits a little for a reader that reads, since a pipe or socket holds only a
 * fraction of the queue. Does not wait for a reader that read nothing the last time, and sets
 * *is_stuck. Returns 0, or -EPIPE: the reader is gone. */
int line_queue_write_all(struct line_queue *q, int fd, bool *is_stuck);

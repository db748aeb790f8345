/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of JSON on their way to one reader: numbered, bounded, none longer than what a pipe takes
 * at once. A line that has no room is lost and counted, and the next one that has room comes behind
 * a record of the loss.
 */
#ifndef SOOTH_CLI_LINE_QUEUE_H
#define SOOTH_CLI_LINE_QUEUE_H

#include <stdio.h>

#include "base/buffer.h"

#define LINE_QUEUE_BYTES (4u << 20)
#define LINE_QUEUE_LINE	 4096 /* PIPE_BUF of Linux: such a write is atomic */

struct line_queue {
	FILE *stream; /* what is written here is taken line by line */
	struct buffer lines, partial;
	size_t begin;	 /* of the lines that are still to be written */
	uint64_t number; /* of the last line, lost ones counted */
	uint64_t lost;	 /* since the last record of a loss */
	const char *lost_why;
};

/* 0 or a negative errno. */
int line_queue_open(struct line_queue *q);
void line_queue_close(struct line_queue *q);
/* Another reader: what waits is not for it. */
void line_queue_begin(struct line_queue *q, const char *what);
/* What was lost before it came here. */
void line_queue_note_loss(
	struct line_queue *q, uint64_t records, const char *reason, size_t reason_size);
/* Whole lines, as many as go without waiting. 0: all; 1: some are left; -EPIPE: the reader is gone.
 */
int line_queue_write(struct line_queue *q, int fd);

#endif
